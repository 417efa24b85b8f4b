import type { Activity } from './ports.ts';

/** Says an activity in words, for a person watching; no token and no secret can appear in it. */
export function describeActivity(activity: Activity): string {
  switch (activity.event) {
    case 'token':
      return `token ${activity.outcome} (${grantNames[activity.grant] ?? activity.grant})`;
    case 'http-error':
      return `HTTP ${activity.status} to ${activity.method} ${activity.path}`;
    case 'connected':
      return `connection ${activity.connection} opened at ${activity.path}`;
    case 'upgrade-refused':
      return `WebSocket at ${activity.path} refused with HTTP ${activity.status}`;
    case 'authenticated':
      return `connection ${activity.connection} authenticated, session ${activity.session} until ${clockTime(activity.expiresAt)}`;
    case 'extended':
      return `connection ${activity.connection} extended, session ${activity.session} until ${clockTime(activity.expiresAt)}`;
    case 'auth-refused':
      return `connection ${activity.connection} not authenticated: refused`;
    case 'subscribed':
    case 'unsubscribed': {
      const { connection, event, channels, refused } = activity;
      const exceptions = refused.length === 0 ? '' : `; refused: ${refused.join(', ')}`;
      return `connection ${connection} ${event}: ${channels.join(', ') || 'nothing'}${exceptions}`;
    }
    case 'closed': {
      const { connection, by, code, reason } = activity;
      return `connection ${connection} closed by the ${by}: ${code}${reason === '' ? '' : ` "${reason}"`}`;
    }
    case 'fault-started':
      return `fault ${activity.id} started: ${activity.kind}`;
    case 'fault-ended':
      return `fault ${activity.id} ended: ${activity.kind}`;
  }
}

const grantNames: Readonly<Record<string, string>> = { json: '/v1/auth' };

function clockTime(time: number): string {
  return `${new Date(time).toISOString().slice(11, 19)} UTC`;
}
