/** The channels of a session, as far as it knows. Beside them stands what is wanted, which may change at any time. */
export interface ChannelBook {
  /** The venue has said that it sends their events. */
  readonly confirmed: readonly string[];
  /** Wanted, and the venue has said no. */
  readonly refused: readonly string[];
  /** Those whose events the venue may send: confirmed, or asked for and not answered yet. */
  readonly held: readonly string[];
}

/** What became of channels that were asked for. */
export interface SubscriptionAnswer {
  readonly confirmed: readonly string[];
  readonly refused: readonly string[];
}

export const emptyBook: ChannelBook = { confirmed: [], refused: [], held: [] };

const without = (channels: readonly string[], others: readonly string[]): readonly string[] =>
  channels.filter((channel) => !others.includes(channel));
const joined = (...lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())];

/** Wanted channels that are not there: refused, or not asked for so far. */
export const unconfirmed = (wanted: readonly string[], { confirmed }: ChannelBook): readonly string[] =>
  without(wanted, confirmed);

/** Wanted channels that the venue has not said no to either. */
export const unasked = (wanted: readonly string[], { confirmed, refused }: ChannelBook): readonly string[] =>
  without(wanted, joined(confirmed, refused));

/** Channels whose events the venue may send although nobody wants them. */
export const unwanted = (wanted: readonly string[], { held }: ChannelBook): readonly string[] => without(held, wanted);

/** Other channels are wanted now: a refusal of one that is not is of no interest any more. */
export const bookForWish = ({ confirmed, refused, held }: ChannelBook, wanted: readonly string[]): ChannelBook => ({
  confirmed,
  refused: refused.filter((channel) => wanted.includes(channel)),
  held,
});

/** Channels are asked for: should no answer come, the venue may send them all the same. */
export const bookAfterAsking = ({ confirmed, refused, held }: ChannelBook, asked: readonly string[]): ChannelBook => ({
  confirmed,
  refused,
  held: joined(held, asked),
});

/** The venue has answered. What was wanted when it was asked may not be what is wanted now. */
export const bookAfterAnswer = (
  book: ChannelBook,
  wanted: readonly string[],
  { confirmed, refused }: SubscriptionAnswer,
): ChannelBook =>
  bookForWish(
    {
      confirmed: joined(book.confirmed, confirmed),
      refused: without(joined(book.refused, refused), confirmed),
      held: joined(without(book.held, refused), confirmed),
    },
    wanted,
  );

/** Channels are given up: should no answer come, the venue may or may not send them. */
export const bookWhileGivingUp = (
  { confirmed, refused, held }: ChannelBook,
  given: readonly string[],
): ChannelBook => ({ confirmed: without(confirmed, given), refused, held });

/** The venue sends these no longer. */
export const bookAfterGivingUp = (
  { confirmed, refused, held }: ChannelBook,
  given: readonly string[],
): ChannelBook => ({ confirmed, refused, held: without(held, given) });
