import { fromCallback, fromPromise } from 'xstate';
import type { TokenEndpoint } from '../adapters/token-endpoint.ts';
import type { SessionHandlers, VenueSession } from '../adapters/venue-session.ts';
import type { Comparison } from '../machines/reconcile.events.ts';
import { reconcileMachine } from '../machines/reconcile.machine.ts';
import type { CuttingTime, SessionEvent, SocketCommand } from '../machines/session.events.ts';
import { sessionMachine } from '../machines/session.machine.ts';
import { supervisorMachine } from '../machines/supervisor.machine.ts';
import type { Grant, TokenRequest } from '../machines/token.events.ts';
import { tokenMachine } from '../machines/token.machine.ts';
import { type Failure, FailureError, failure } from '../protocol/failure.ts';

export interface ActorPorts {
  readonly endpoint: Pick<TokenEndpoint, 'request'>;
  /** Dials the session of that number. */
  readonly dial: (session: number, handlers: SessionHandlers) => VenueSession;
  /** Compares what was published with what the venue lists. */
  readonly compare: (signal: AbortSignal) => Promise<Comparison>;
  /** Resolves when no RFQ is open, or when there is no more time to wait. */
  readonly quietMoment: (time: CuttingTime, signal: AbortSignal) => Promise<number | null>;
  /** Resolves when the calls of local programs on the session of that number are answered. */
  readonly lastAnswers: (session: number) => Promise<void>;
  /** Called before the machines learn what came from the venue: time that passed unnoticed has to be noticed first. */
  readonly noticeTime: () => void;
  /** Told when the session of that number is gone, for whatever reason. */
  readonly ended: (session: number) => void;
}

/**
 * The supervisor with its actors bound to the world. The machines know sessions by number; which socket a number
 * stands for is known here alone.
 */
export function wireSupervisor(ports: ActorPorts) {
  const { endpoint, dial, ended, compare, quietMoment, lastAnswers, noticeTime } = ports;
  const sessions = new Map<number, VenueSession>();
  const sessionOf = (id: number): VenueSession => {
    const session = sessions.get(id);
    if (session === undefined) throw new FailureError(failure('connection-lost', 'the session has ended'));
    return session;
  };

  const sockets = fromCallback<SocketCommand, { readonly session: number }>(({ input, sendBack, receive }) => {
    const own = new Set<number>();
    const tell = (event: SessionEvent) => {
      noticeTime();
      sendBack(event);
    };
    const cut = (session: number) => {
      if (!own.delete(session)) return;
      sessions.get(session)?.dispose();
      sessions.delete(session);
      ended(session);
    };
    const open = (session: number) => {
      own.add(session);
      const opened = () => tell({ type: 'socket.opened', session });
      const closed = (found: Failure) => {
        cut(session);
        tell({ type: 'socket.closed', session, failure: found });
      };
      sessions.set(session, dial(session, { opened, closed }));
    };
    receive(({ type, session }) => {
      if (type === 'dial') open(session);
      else if (type === 'cut') cut(session);
      else sessions.get(session)?.hangUp();
    });
    open(input.session);
    return () => {
      for (const session of own) cut(session);
    };
  });

  const asked = <In extends { readonly session: number }, Answer>(
    ask: (session: VenueSession, input: In) => Promise<Answer>,
  ) =>
    fromPromise<Answer, In>(async ({ input }) => {
      try {
        return await ask(sessionOf(input.session), input);
      } finally {
        noticeTime();
      }
    });

  const token = tokenMachine.provide({
    actors: {
      requestToken: fromPromise<Grant, TokenRequest>(({ input, signal }) => endpoint.request(input, signal)),
    },
  });
  const session = sessionMachine.provide({
    actors: {
      sockets,
      authenticate: asked((session) => session.authenticate()),
      subscribe: asked((session, { channels }) => session.subscribe(channels)),
      unsubscribe: asked((session, { channels }) => session.unsubscribe(channels)),
      heartbeat: asked((session) => session.heartbeat()),
      lastAnswers: fromPromise(({ input }) => lastAnswers(input.session)),
      renewInPlace: asked((session) => session.renewInPlace()),
      quietMoment: fromPromise(({ input, signal }) => quietMoment(input, signal)),
    },
  });
  const reconcile = reconcileMachine.provide({ actors: { compare: fromPromise(({ signal }) => compare(signal)) } });
  return supervisorMachine.provide({ actors: { token, session, reconcile } });
}

export type WiredSupervisor = ReturnType<typeof wireSupervisor>;
