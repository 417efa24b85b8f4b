import { assign, cancel, emit, enqueueActions, raise, sendTo, setup, stateIn } from 'xstate';
import type { Failure } from '../protocol/failure.ts';
import { earliestDial, isFailed, retryDelay, withDial } from './policies/backoff.ts';
import { countCutShort, judgeEnding } from './policies/contest.ts';
import { countNotLetIn, isDoubtful, isRefusal } from './policies/dead-token.ts';
import { clampDelay } from './policies/delay.ts';
import type { ReconcileEvent, ReconcileReport } from './reconcile.events.ts';
import { reconcileMachine } from './reconcile.machine.ts';
import type { SessionEvent, SessionOutput, SessionReport, TokenOfSession } from './session.events.ts';
import { sessionMachine } from './session.machine.ts';
import type {
  SupervisorContext,
  SupervisorEvent,
  SupervisorFact,
  SupervisorInput,
  SupervisorSettings,
} from './supervisor.events.ts';
import type { TokenReport, TokenSettings } from './token.events.ts';
import { tokenMachine } from './token.machine.ts';

/** The next dial at `wanted`, or later if the ceiling demands it. */
export function planDial(
  dials: readonly number[],
  wanted: number,
): Pick<SupervisorContext, 'nextDialAt' | 'heldByCeiling'> {
  const nextDialAt = earliestDial(dials, wanted);
  return { nextDialAt, heldByCeiling: nextDialAt > wanted };
}

export const tokenSettings = ({ token, backoff }: SupervisorSettings): TokenSettings => ({ ...token, backoff });

/** Where the credentials authenticate the socket, only plain words of the venue speak of the token. */
const isTokenDead = ({ settings }: SupervisorContext, output: SessionOutput): boolean =>
  output.failure.code === 'token-refused' || (settings.authenticateWith === 'token' && isRefusal(output));

const isTokenDoubtful = ({ settings, notLetIn }: SupervisorContext, output: SessionOutput): boolean =>
  settings.authenticateWith === 'token' && isDoubtful(notLetIn, output);

type Ended = Pick<SessionOutput, 'failure' | 'liveForMs' | 'authenticatedForMs' | 'wasOpen'>;

/** A session that was live, as far as its gap is concerned. */
type LostSession = Pick<SessionOutput, 'failure' | 'liveForMs' | 'unproven' | 'proof'>;

/** What a session's end adds to what is known of those before it. */
function judged(context: SupervisorContext, ended: Ended) {
  const wasStable = ended.liveForMs !== null && ended.liveForMs >= context.settings.backoff.resetAfter;
  const failedBefore = wasStable ? 0 : context.failedInARow;
  const cutShort = countCutShort(context.cutShort, ended);
  const found = judgeEnding(ended.failure, cutShort);
  const counts = {
    failedInARow: failedBefore + (isFailed(found) ? 1 : 0),
    cutShort,
    notLetIn: countNotLetIn(context.notLetIn, ended),
    lastClose: { ...found, at: context.now() },
  };
  return { found, failedBefore, counts };
}

function afterEnding(context: SupervisorContext, output: SessionOutput): Partial<SupervisorContext> {
  const { found, failedBefore, counts } = judged(context, output);
  const delay = retryDelay({
    failure: found,
    failedBefore,
    settings: context.settings.backoff,
    random: context.random,
  });
  // A newer token than the refused one may have come meanwhile.
  const isDead = isTokenDead(context, output) && output.token === context.token?.generation;
  return {
    ...counts,
    ...planDial(context.dials, context.now() + delay),
    ...(isDead && context.token !== null ? { token: { ...context.token, usable: false } } : {}),
  };
}

/** What the chart of the supervisor is made of: its actors, delays, questions and actions. */
export const supervisorSetup = setup({
  types: {} as {
    context: SupervisorContext;
    input: SupervisorInput;
    events: SupervisorEvent;
    emitted: SupervisorFact;
  },
  actors: { token: tokenMachine, session: sessionMachine, reconcile: reconcileMachine },
  delays: {
    'until the next dial': ({ context }) => clampDelay((context.nextDialAt ?? context.now()) - context.now()),
    'stop deadline': 3_000,
  },
  guards: {
    'is there something to authenticate with?': ({ context }) =>
      context.settings.authenticateWith === 'credentials' || context.token?.usable === true,
    'is the dial due?': ({ context }) => (context.nextDialAt ?? 0) <= context.now(),
    'does the ceiling allow a dial?': ({ context }) => earliestDial(context.dials, context.now()) <= context.now(),
    'did the venue refuse us?': ({ context }) => context.lastClose?.class === 'refused',
    'was a channel confirmed?': (_, { added }: { added: readonly string[] }) => added.length > 0,
    'is it stopping?': stateIn({ dialled: 'draining' }),
  },
  actions: {
    'make it known': emit(({ event }) => event as TokenReport | SessionReport | ReconcileReport),
    'note the token': assign((_, { generation, expiresAt }: TokenOfSession) => ({
      token: { generation, expiresAt, usable: true },
    })),
    'note the lost token': assign(({ context }) => ({
      token: context.token === null ? null : { ...context.token, usable: false },
    })),
    'note the settings': assign((_, params: { settings: SupervisorSettings }) => ({ settings: params.settings })),
    'tell the token of the settings': sendTo('token', ({ context }) => ({
      type: 'settings.changed',
      settings: tokenSettings(context.settings),
    })),
    'tell the reconciliation of the settings': sendTo(
      'reconcile',
      ({ context }): ReconcileEvent => ({ type: 'settings.changed', interval: context.settings.reconcileInterval }),
    ),
    'tell the session of the settings': sendTo(
      'session',
      ({ context }): SessionEvent => ({ type: 'settings.changed', settings: context.settings.session }),
    ),
    'have the token check the time': sendTo('token', { type: 'clock.jumped' }),
    'have the session check the time': sendTo('session', { type: 'clock.jumped' } satisfies SessionEvent),
    'count the dial': assign(({ context }) => ({
      sessions: context.sessions + 1,
      dials: withDial(context.dials, context.now()),
      nextDialAt: null,
    })),
    'tell of the dial': emit(({ context }) => ({
      type: 'session.dialled' as const,
      id: context.sessions,
      attempt: context.failedInARow + 1,
      cause: context.lastClose?.code ?? 'start',
    })),
    'note the ending': assign(({ context }, params: SessionOutput) => afterEnding(context, params)),
    'note the loss of the first session': assign(
      ({ context }, params: Omit<Ended, 'wasOpen'>) => judged(context, { ...params, wasOpen: true }).counts,
    ),
    'tell of the ending': enqueueActions(({ context, enqueue }, params: SessionOutput) => {
      enqueue.emit({
        type: 'session.closed',
        id: params.id,
        failure: judgeEnding(params.failure, context.cutShort),
        liveForMs: params.liveForMs,
        retryInMs: context.nextDialAt === null ? null : context.nextDialAt - context.now(),
      });
      if (isTokenDead(context, params)) {
        enqueue.sendTo('token', { type: 'token.refused', generation: params.token });
      } else if (isTokenDoubtful(context, params)) {
        enqueue.sendTo('token', { type: 'token.doubted', generation: params.token });
      } else if (params.authenticatedForMs !== null) {
        // Whatever ended the session, it was not its token.
        enqueue.sendTo('token', { type: 'token.accepted' });
      }
    }),
    'tell of the gap': enqueueActions(({ context, enqueue }, params: LostSession) => {
      if (params.liveForMs === null) return;
      enqueue.emit({
        type: 'gap.opened',
        cause: judgeEnding(params.failure, context.cutShort).code,
        session: params.unproven,
        proof: params.proof,
      });
      enqueue.sendTo('reconcile', { type: 'session.lost' } satisfies ReconcileEvent);
    }),
    'tell that the venue is heard': emit({ type: 'gap.ended' as const, at: null }),
    'tell of the blind spot': enqueueActions(
      ({ enqueue }, { previous, proof, until }: Extract<SessionReport, { type: 'session.blind-spot' }>) => {
        enqueue.emit({ type: 'gap.opened', cause: 'half-open', session: previous, proof });
        enqueue.emit({ type: 'gap.ended', at: until });
      },
    ),
    'have it compared': sendTo('reconcile', { type: 'look again' } satisfies ReconcileEvent),
    'count the token as accepted': sendTo('token', { type: 'token.accepted' }),
    'have it reconciled': sendTo('reconcile', { type: 'session.live' } satisfies ReconcileEvent),
    'dial as soon as allowed': assign(({ context }) => planDial(context.dials, context.now())),
    'ask for a token': sendTo('token', { type: 'refresh' }),
    'move the session to the new token': sendTo(
      'session',
      (_, { generation, expiresAt }: TokenOfSession): SessionEvent => ({
        type: 'token.renewed',
        generation,
        expiresAt,
      }),
    ),
    // As soon as the ceiling allows: the first session is in no hurry.
    'plan a successor': raise(
      { type: 'successor.due' },
      {
        id: 'successor',
        delay: ({ context }: { context: SupervisorContext }) =>
          clampDelay(earliestDial(context.dials, context.now()) - context.now()),
      },
    ),
    'plan no successor': cancel('successor'),
    'dial a successor': enqueueActions(({ context, enqueue }) => {
      const id = context.sessions + 1;
      enqueue.assign({ sessions: id, dials: withDial(context.dials, context.now()) });
      enqueue.sendTo('session', { type: 'succeed', session: id });
      enqueue.emit({ type: 'session.dialled', id, attempt: 1, cause: 'renewal' });
    }),
    'replace the token if it was refused': enqueueActions(
      ({ enqueue }, params: { failure: Failure; token: number }) => {
        // What else ends a second session may be the second session.
        if (params.failure.code !== 'token-refused') return;
        enqueue.sendTo('token', { type: 'token.refused', generation: params.token });
      },
    ),
    'pass on the wish to rotate': sendTo('session', { type: 'rotate' }),
    'end the session': sendTo('session', (_, params: { failure: Failure }) => ({
      type: 'close',
      failure: params.failure,
    })),
  },
});
