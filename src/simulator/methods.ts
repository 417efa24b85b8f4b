import { addressRefusal } from './faults.ts';
import { isChannel } from './frames.ts';
import { echo, echoMethod } from './method-echo.ts';
import { isRecord, type RpcCall, type RpcOutcome, rpcCode, rpcError } from './rpc.ts';
import type { Session } from './session.ts';
import type { AccessToken } from './tokens.ts';

/** The reply to a call, and what happens once it is on its way. */
export interface CallOutcome {
  readonly reply: RpcOutcome;
  readonly afterwards?: () => void;
  /** How long the reply takes. */
  readonly delayMs?: number;
}

/** Answers a call on a session; `undefined`: no reply at all (fault `no-reply`). */
export function answerCall(session: Session, call: RpcCall): CallOutcome | undefined {
  const { faults } = session.context;
  const isThis = (fault: { readonly method: string }): boolean => fault.method === call.method;
  if (faults.take('no-reply', isThis) !== undefined) return undefined;
  const failure = faults.take('rpc-error', isThis);
  if (failure !== undefined) return { reply: rpcError(failure.code, failure.message) };
  if (faults.take('unknown-method', isThis) !== undefined) return { reply: methodNotFound(call.method) };

  const isAuthenticating = call.method === 'auth' || call.method === 'auth/refresh';
  if (isAuthenticating && faults.refusesAddress('socket')) return { reply: refuse(session, addressRefusal) };
  if (call.method === 'auth') return authenticate(session, call);
  if (session.token === undefined) {
    return { reply: rpcError(rpcCode.invalidRequest, 'not authenticated') };
  }
  switch (call.method) {
    case 'auth/refresh':
      return session.context.options.inPlaceRefresh
        ? { reply: extend(session, call) }
        : { reply: methodNotFound(call.method) };
    case 'heartbeat':
      session.beat();
      return { reply: { result: { time: session.context.clock.now() } } };
    case 'v1/subscribe':
      return { reply: subscribe(session, call) };
    case 'v1/unsubscribe':
      return { reply: unsubscribe(session, call) };
    case echoMethod:
      return echo(session.context.stats.echoes, call);
    default:
      return { reply: methodNotFound(call.method) };
  }
}

function authenticate(session: Session, call: RpcCall): CallOutcome {
  const { context } = session;
  const token = tokenFor(session, call);
  if (token === undefined) return { reply: refuse(session) };
  const issued = context.options.tokenInAuthReply
    ? context.tokens.issueAccess(token.clientId, token.style, token.expiresAt - context.clock.now())
    : undefined;
  const others = context.sessionsOf(token.clientId);
  const fresh = session.carryBy(issued ?? token) === 'authenticated';
  const reply = { result: { success: true, ...(issued === undefined ? {} : { token: issued.value }) } };
  if (!fresh) return { reply };
  return {
    reply,
    afterwards: () => {
      // The ceiling shows only after the reply, so that a client learns why from the close code.
      const surplus = others.length + 1 - context.options.maxSessions;
      if (surplus > 0 && context.options.sessionCeiling === 'refuse') {
        session.close(4429, 'too many sessions');
        return;
      }
      for (const old of others.slice(0, Math.max(0, surplus))) old.close(4000, 'replaced');
      const drop = context.faults.take('drop');
      if (drop === undefined) return;
      if (drop.code === undefined) session.terminate();
      else session.close(drop.code, drop.reason ?? '');
    },
  };
}

function extend(session: Session, call: RpcCall): RpcOutcome {
  const token = tokenFor(session, call);
  if (token === undefined) return refuse(session);
  session.carryBy(token);
  return { result: { success: true } };
}

/** The token that the params name, or one issued for the credentials they carry; `undefined`: refused. */
function tokenFor(session: Session, call: RpcCall): AccessToken | undefined {
  const { context } = session;
  if (context.faults.take('refuse-auth') !== undefined) return undefined;
  const { params } = call;
  if (typeof params['token'] === 'string') return context.tokens.access(params['token']);
  const clientId = params['clientId'] ?? params['client_id'];
  const clientSecret = params['clientSecret'] ?? params['client_secret'];
  if (clientId !== context.options.clientId || clientSecret !== context.options.clientSecret) return undefined;
  return context.tokens.issueAccess(
    context.options.clientId,
    session.tokenStyle,
    context.tokenLife(session.tokenStyle),
  );
}

function refuse(session: Session, reason?: string): RpcOutcome {
  const { context, connection } = session;
  context.stats.auths.refused += 1;
  context.onActivity({ event: 'auth-refused', connection });
  if (context.options.authRefusal === 'result' && reason === undefined) return { result: { success: false } };
  const message = ['authentication error', reason].filter((part) => part !== undefined).join(': ');
  return rpcError(rpcCode.authenticationError, message);
}

function subscribe(session: Session, call: RpcCall): RpcOutcome {
  const asked = channelNames(call);
  if (asked === undefined) return rpcError(rpcCode.invalidParams, 'channels must be a list of strings');
  const { context, connection } = session;
  const refused = new Set<string>(context.faults.take('partial-subscription')?.channels);
  const confirmed = [...new Set(asked)].filter((channel) => isChannel(channel) && !refused.has(channel));
  session.subscribe(confirmed);
  context.stats.subscribes += 1;
  context.onActivity({
    event: 'subscribed',
    connection,
    channels: confirmed,
    refused: asked.filter((channel) => !confirmed.includes(channel)),
  });
  return { result: { status: 'subscribed', channels: confirmed } };
}

function unsubscribe(session: Session, call: RpcCall): RpcOutcome {
  const asked = channelNames(call);
  if (asked === undefined) return rpcError(rpcCode.invalidParams, 'channels must be a list of strings');
  const { context, connection } = session;
  const confirmed = [...new Set(asked)].filter((channel) => session.subscriptions.has(channel));
  session.unsubscribe(confirmed);
  context.stats.unsubscribes += 1;
  context.onActivity({ event: 'unsubscribed', connection, channels: confirmed, refused: [] });
  return { result: { status: 'unsubscribed', channels: confirmed } };
}

function channelNames(call: RpcCall): readonly string[] | undefined {
  const channels = isRecord(call.params) ? call.params['channels'] : undefined;
  if (!Array.isArray(channels)) return undefined;
  return channels.every((channel) => typeof channel === 'string') ? channels : undefined;
}

function methodNotFound(method: string): RpcOutcome {
  return rpcError(rpcCode.methodNotFound, `method not found: ${method}`);
}
