import { type ActorRefFrom, createActor, fromCallback, fromPromise } from 'xstate';
import { topState } from '../../../src/daemon/snapshot.ts';
import type { Grant, GrantKind, TokenInput, TokenReport, TokenRequest } from '../../../src/machines/token.events.ts';
import { tokenMachine } from '../../../src/machines/token.machine.ts';
import { type Failure, FailureError } from '../../../src/protocol/failure.ts';
import { deferred, settle, VirtualTime } from './virtual-time.ts';

/** A token request as the endpoint sees it; the test answers it. */
export interface SeenRequest {
  readonly at: number;
  readonly generation: number;
  readonly kind: GrantKind;
  readonly signal: AbortSignal;
  readonly grant: (lifeMs: number) => Promise<void>;
  readonly fail: (failure: Failure) => Promise<void>;
}

export interface TokenStage {
  readonly time: VirtualTime;
  readonly actor: ActorRefFrom<typeof tokenMachine>;
  readonly requests: SeenRequest[];
  readonly reports: readonly TokenReport[];
  readonly state: () => string;
  /** The request that was sent last. */
  readonly latest: () => SeenRequest;
  /** Stops what was created. */
  readonly strike: () => void;
}

export const requested: TokenReport = { type: 'token.requested' };

/** The report of a first token, or of one that took over from another; `requestedAt` is when its life began. */
export const granted = (
  generation: number,
  lifeMs: number,
  { requestedAt = 0, renewal = false } = {},
): TokenReport => ({
  type: 'token.granted',
  generation,
  expiresAt: requestedAt + lifeMs,
  lifeMs,
  renewal,
});

export const lostToken = (why: 'expired' | 'refused', generation = 1): TokenReport => ({
  type: 'token.lost',
  why,
  generation,
});

export const usualTokenSettings: TokenInput['settings'] = {
  refreshAt: 0.8,
  refreshMargin: 60_000,
  backoff: { min: 500, max: 20_000 },
};

/** The token machine alone, with an endpoint that answers when the test says so. */
export function setTokenStage(
  options: Partial<Pick<TokenInput, 'settings' | 'random' | 'earlierRequests'>> = {},
): TokenStage {
  const time = new VirtualTime();
  const requests: SeenRequest[] = [];
  const reports: TokenReport[] = [];
  const supervisor = createActor(
    fromCallback<TokenReport>(({ receive }) => {
      receive((report) => reports.push(report));
    }),
  ).start();
  const requestToken = fromPromise<Grant, TokenRequest>(({ input, signal }) => {
    const { promise, resolve, reject } = deferred<Grant>();
    requests.push({
      at: time.now(),
      ...input,
      signal,
      grant: (lifeMs) => {
        resolve({ lifeMs });
        return settle();
      },
      fail: (failure) => {
        reject(new FailureError(failure));
        return settle();
      },
    });
    return promise;
  });
  const actor = createActor(tokenMachine.provide({ actors: { requestToken } }), {
    clock: time.clock,
    input: {
      supervisor,
      earlierRequests: options.earlierRequests ?? [],
      settings: options.settings ?? usualTokenSettings,
      now: time.now,
      random: options.random ?? (() => 0.5),
    },
  });
  actor.start();
  return {
    time,
    actor,
    requests,
    reports,
    state: () => topState(actor.getSnapshot().value),
    latest: () => {
      const request = requests.at(-1);
      if (request === undefined) throw new Error('no token was asked for yet');
      return request;
    },
    strike: () => {
      actor.stop();
      supervisor.stop();
    },
  };
}
