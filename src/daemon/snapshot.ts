import type { ActorRefFrom, SnapshotFrom } from 'xstate';
import type { HealthFacts } from '../machines/policies/health.ts';
import type { SessionContext } from '../machines/session.events.ts';
import type { sessionMachine } from '../machines/session.machine.ts';
import type { TokenContext } from '../machines/token.events.ts';
import type { tokenMachine } from '../machines/token.machine.ts';
import type { WiredSupervisor } from './actors.ts';

export type Supervisor = ActorRefFrom<WiredSupervisor>;

/** The machines at this moment, in plain words. */
export interface MachineView {
  readonly supervisor: SnapshotFrom<WiredSupervisor>['context'];
  /** Whether the supervisor waits for the moment of the next dial, and for nothing else. */
  readonly isBackingOff: boolean;
  readonly token: { readonly state: string; readonly context: TokenContext };
  readonly session: {
    readonly state: NonNullable<HealthFacts['session']>['state'];
    readonly context: SessionContext;
  } | null;
}

type SessionState = NonNullable<MachineView['session']>['state'];

/** Reads supervisor, token and session. */
export function viewOf(supervisor: Supervisor): MachineView {
  const { context, children, value } = supervisor.getSnapshot();
  const token = (children['token'] as ActorRefFrom<typeof tokenMachine>).getSnapshot();
  const session = (children['session'] as ActorRefFrom<typeof sessionMachine> | undefined)?.getSnapshot();
  return {
    supervisor: context,
    isBackingOff: value === 'backing off',
    token: { state: topState(token.value), context: token.context },
    session:
      session === undefined ? null : { state: topState(session.value) as SessionState, context: session.context },
  };
}

/** The outermost state; what lies within is detail. */
export function topState(value: string | object): string {
  return typeof value === 'string' ? value : (Object.keys(value)[0] ?? '');
}

/** What the health is derived from. */
export function healthFacts(
  { supervisor, token, session }: MachineView,
  known: Pick<HealthFacts, 'now' | 'socketHost' | 'lastHeardAt' | 'storageTrouble'>,
): HealthFacts {
  const { expiresAt, retryAt, lastFailure } = token.context;
  return {
    ...known,
    token: {
      state: token.state,
      usable: expiresAt !== null && expiresAt > known.now,
      expiresAt,
      retryAt,
      lastFailure,
    },
    sessionNeedsToken: supervisor.settings.authenticateWith === 'token',
    session: session === null ? null : { state: session.state, ...endingAnd(session.context) },
    lastClose: supervisor.lastClose,
    nextDialAt: supervisor.nextDialAt,
    heldByCeiling: supervisor.heldByCeiling,
    failedInARow: supervisor.failedInARow,
  };
}

function endingAnd(context: SessionContext) {
  const { settings, confirmed, refused, held, ending, renewalFailure, lastHeartbeat } = context;
  const { subscriptionFailure, limitedUntil } = context;
  const book = { wanted: settings.channels, confirmed, refused, held };
  return { ...book, subscriptionFailure, limitedUntil, ending, renewalFailure, lastHeartbeat };
}
