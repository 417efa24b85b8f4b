import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChannelFilter, Channels, maxChannels } from '../../src/log/channels.ts';
import { Cursor } from '../../src/log/cursor.ts';
import { events, range, readAll, testLog } from './support.ts';

function passes(patterns: readonly string[], name: string): boolean {
  const channels = new Channels();
  return new ChannelFilter(channels, patterns).passes(channels.named(name).id);
}

describe('a pattern', () => {
  it.each([
    ['*', ['rfq.maker', 'x', 'venue.unrouted'], []],
    ['rfq.maker', ['rfq.maker'], ['rfq.makers', 'xrfq.maker', 'rfq.take', 'rfq.Maker', 'rfq-maker']],
    ['rfq.*', ['rfq.maker', 'rfq.', 'rfq.a.b'], ['rfq', 'rfq_quote.maker', 'x.rfq.maker']],
    ['*.maker', ['rfq.maker', '.maker', 'rfq_quote.maker'], ['maker', 'rfq.maker2']],
    ['a*b*c', ['abc', 'aXbYc', 'abbc', 'abcbc'], ['ab', 'ac', 'acb', 'xabc', 'abcx']],
    ['a*a', ['aa', 'aba'], ['a']],
    ['ab*ba', ['abba', 'abxba'], ['aba', 'ab']],
    ['**', ['rfq.maker', 'x'], []],
    ['*x*', ['x', 'axb'], ['ab']],
    ['r.q', ['r.q'], ['rfq']],
    ['(rfq)+', ['(rfq)+'], ['rfq']],
    ['ü*', ['über'], ['uber']],
  ])('%s lets the right channels pass', (pattern, passing, others) => {
    expect(passing.filter((name) => !passes([pattern], name))).toEqual([]);
    expect(others.filter((name) => passes([pattern], name))).toEqual([]);
  });

  it('means the same as the regular expression with .* for each star', () => {
    // A small alphabet, so that matches are frequent.
    const text = (letters: string, maxLength: number) =>
      fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text('ab.*', 7), text('ab.', 10), (pattern, name) => {
        const escaped = pattern.replaceAll('.', '\\.').replaceAll('*', '.*');
        expect(passes([pattern], name)).toBe(new RegExp(`^${escaped}$`, 's').test(name));
      }),
      { numRuns: 3_000 },
    );
  });

  it('passes when any of several does, whatever their order', () => {
    expect(passes(['rfq.taker', '*.maker'], 'rfq.maker')).toBe(true);
    expect(passes(['*.maker', 'rfq.taker'], 'rfq.taker')).toBe(true);
    expect(passes(['*.maker', 'rfq.taker'], 'rfq_quote.taker')).toBe(false);
  });

  it('cannot keep the loop busy, however many stars it has', () => {
    const { log, add } = testLog();
    add('a'.repeat(256));
    const started = performance.now();
    const [cursor] = Cursor.open(log, { channels: ['*a'.repeat(127) + '*b'], from: 'oldest' });
    expect(readAll(cursor)).toBe('');
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

it("lets figd's own facts pass whatever the filter, but not unrouted frames", () => {
  expect(passes(['nothing'], 'figd.state')).toBe(true);
  expect(passes(['nothing'], 'figd.gap')).toBe(true);
  expect(passes(['nothing'], 'venue.unrouted')).toBe(false);
});

it('decides anew for channels that appear after the filter was made', () => {
  const channels = new Channels();
  const filter = new ChannelFilter(channels, ['late.*']);
  expect(filter.passes(channels.named('early').id)).toBe(false);
  const late = channels.named('late.one');
  expect([filter.passes(late.id), filter.passes(late.id)]).toEqual([true, true]);
});

it('gives a name one channel', () => {
  const channels = new Channels();
  const first = channels.named('rfq.maker');
  expect(channels.named('rfq.maker')).toBe(first);
  expect(channels.find('rfq.maker')).toBe(first);
  expect(channels.withId(first.id)).toBe(first);
  expect(channels.find('unheard')).toBeUndefined();
  expect(channels.withId(99)).toBeUndefined();
});

it('lets names beyond the limit share venue.unrouted, and loses none of their events', () => {
  const { log, add } = testLog({ ringBytes: 16 * 1_048_576 });
  const names = range(1, 10_000).map((index) => `mad.${index}`);
  for (const name of names) add(name, { name });
  expect(log.channels.all().length).toBe(maxChannels);

  // Four channels stand there from the start.
  const ownName = maxChannels - 4;
  const [cursor] = Cursor.open(log, { from: 'oldest' });
  const text = readAll(cursor);
  expect(events(text)).toEqual(
    names.map((name, index) => ({ seq: index + 1, channel: index < ownName ? name : 'venue.unrouted' })),
  );
  const messages = text
    .split('\n')
    .slice(0, -1)
    .map((one) => JSON.parse(one).params.message.name);
  expect(messages).toEqual(names);
  expect(log.channels.find('venue.unrouted')?.events).toBe(10_000 - ownName);
  // Names known before the explosion keep their channel.
  add('mad.1');
  expect(log.channels.find('mad.1')?.events).toBe(2);
});
