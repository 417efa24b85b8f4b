import type { SubscriptionAnswer } from '../machines/policies/channel-book.ts';
import { type Failure, type FailureCode, FailureError } from '../protocol/failure.ts';
import { isRecord } from '../protocol/json-rpc.ts';

/** What the venue made of a request for channels. */
export interface SubscribeReply {
  readonly confirmed: readonly string[];
  /** Why it refused the request as a whole, or null. */
  readonly refusal: Failure | null;
}

type Ask = (channels: readonly string[]) => Promise<SubscribeReply>;

/** Asks for all at once; where the venue refuses the list as a whole, for each channel on its own. */
export async function askForEach(channels: readonly string[], ask: Ask): Promise<readonly SubscribeReply[]> {
  const whole = await ask(channels);
  if (whole.refusal === null || channels.length === 1) return [whole];
  const replies: SubscribeReply[] = [];
  for (const channel of channels) replies.push(await ask([channel]));
  return replies;
}

/** The channels that a successful reply confirms: those it names, all where it names none. */
export function confirmedBy(result: unknown, asked: readonly string[]): readonly string[] {
  const named = isRecord(result) ? result['channels'] : undefined;
  return Array.isArray(named) ? asked.filter((channel) => named.includes(channel)) : asked;
}

/** @throws {FailureError} where each channel is refused with that code: none has had a hearing of its own */
export function throwIfAllAre(code: FailureCode, replies: readonly SubscribeReply[]): void {
  const refusals = replies.flatMap(({ refusal }) => (refusal?.code === code ? [refusal] : []));
  if (refusals[0] !== undefined && refusals.length === replies.length) throw new FailureError(refusals[0]);
}

export function answerOf(asked: readonly string[], replies: readonly SubscribeReply[]): SubscriptionAnswer {
  const confirmed = replies.flatMap((reply) => reply.confirmed);
  return { confirmed, refused: asked.filter((channel) => !confirmed.includes(channel)) };
}
