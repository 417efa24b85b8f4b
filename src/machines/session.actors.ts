import { type CallbackLogicFunction, fromCallback, fromPromise } from 'xstate';
import type { SubscriptionAnswer } from './policies/channel-book.ts';
import type { CuttingTime, HeartbeatAck, SessionEvent, SocketCommand } from './session.events.ts';

export interface OfSession {
  readonly session: number;
}

export interface OfChannels extends OfSession {
  readonly channels: readonly string[];
}

const notProvided = () => Promise.reject(new Error('this actor is not provided'));

/** What a session has the world do for it. */
export const sessionActors = {
  /** Owns the WebSockets: dials one when invoked, others on command, and cuts them all when disposed. */
  sockets: fromCallback<SocketCommand, OfSession>((() => {
    throw new Error('sockets is not provided');
  }) as CallbackLogicFunction<SocketCommand, SessionEvent, OfSession>),
  /** Authenticates; resolves with the generation of the token it used. */
  authenticate: fromPromise<number, OfSession>(notProvided),
  subscribe: fromPromise<SubscriptionAnswer, OfChannels>(notProvided),
  /** Resolves with the channels that the venue does not send any more. */
  unsubscribe: fromPromise<readonly string[], OfChannels>(notProvided),
  heartbeat: fromPromise<HeartbeatAck, OfSession>(notProvided),
  /** Resolves when no call that others made on the session waits for an answer. */
  lastAnswers: fromPromise<void, OfSession>(notProvided),
  /** Moves the session to the newest token on the same socket; resolves with its generation. */
  renewInPlace: fromPromise<number, OfSession>(notProvided),
  /** Resolves when no RFQ is open, or at the latest moment, with the number of those that are (null: not known). */
  quietMoment: fromPromise<number | null, CuttingTime>(notProvided),
};
