import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bookAfterAnswer,
  bookAfterAsking,
  bookAfterGivingUp,
  bookForWish,
  bookWhileGivingUp,
  type ChannelBook,
  emptyBook,
  unasked,
  unconfirmed,
  unwanted,
} from '../../../src/machines/policies/channel-book.ts';

const names = ['a', 'b', 'c', 'd'];
const some = fc.subarray(names);

/** A venue that answers, or does not, and may have done what it was asked for all the same. */
interface Step {
  readonly wish: readonly string[];
  /** What it says no to. */
  readonly refuses: readonly string[];
  readonly answers: boolean;
  readonly does: boolean;
}
const step: fc.Arbitrary<Step> = fc.record({
  wish: some.filter((list) => list.length > 0),
  refuses: some,
  answers: fc.boolean(),
  does: fc.boolean(),
});

test('whatever is wanted and answered, the book tells the truth, and asking long enough brings what is wanted', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1 }), (steps) => {
      let book: ChannelBook = emptyBook;
      const sends = new Set<string>();
      const ask = (wish: readonly string[], { refuses, answers, does }: Omit<Step, 'wish'>, later = wish) => {
        const asked = unconfirmed(wish, book);
        const granted = asked.filter((channel) => !refuses.includes(channel));
        book = bookAfterAsking(book, asked);
        if (does || answers) for (const channel of granted) sends.add(channel);
        if (!answers) return;
        const refused = asked.filter((channel) => refuses.includes(channel));
        // A venue that says no to a channel does not send it.
        for (const channel of refused) sends.delete(channel);
        book = bookAfterAnswer(bookForWish(book, later), later, { confirmed: granted, refused });
      };
      for (const [index, each] of steps.entries()) {
        book = bookForWish(book, each.wish);
        // The next wish may come before the answer does.
        ask(each.wish, each, steps[index + 1]?.wish);
        const given = unwanted(each.wish, book);
        book = bookWhileGivingUp(book, given);
        if (each.does || each.answers) for (const channel of given) sends.delete(channel);
        if (each.answers) book = bookAfterGivingUp(book, given);
        // What the venue sends is known as such; what is confirmed it sends.
        expect(book.held).toEqual(expect.arrayContaining([...sends]));
        expect([...sends]).toEqual(expect.arrayContaining([...book.confirmed]));
        for (const channel of book.refused) expect(book.confirmed).not.toContain(channel);
        expect(new Set(book.held).size).toBe(book.held.length);
      }
      const wish = steps.at(-1)?.wish ?? [];
      book = bookForWish(book, wish);
      ask(wish, { refuses: [], answers: true, does: true });
      const given = unwanted(wish, book);
      book = bookAfterGivingUp(bookWhileGivingUp(book, given), given);
      expect([unasked(wish, book), unwanted(wish, book), book.refused]).toEqual([[], [], []]);
      expect([...book.confirmed].sort()).toEqual([...wish].sort());
    }),
  );
});

test('a channel that was refused is asked for again, and is not taken for one nobody has asked for', () => {
  const book = bookAfterAnswer(bookAfterAsking(emptyBook, ['a', 'b']), ['a', 'b'], {
    confirmed: ['a'],
    refused: ['b'],
  });
  expect(book).toEqual({ confirmed: ['a'], refused: ['b'], held: ['a'] });
  expect([unconfirmed(['a', 'b'], book), unasked(['a', 'b'], book)]).toEqual([['b'], []]);
});
