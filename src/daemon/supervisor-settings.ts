import type { Settings } from '../config/settings.ts';
import type { SupervisorSettings } from '../machines/supervisor.events.ts';

/** What the machines are to know of the configuration. */
export function supervisorSettings({ session, token, reconcile }: Settings): SupervisorSettings {
  return {
    authenticateWith: session.authenticateWith,
    session,
    backoff: session.backoff,
    token,
    reconcileInterval: reconcile.enabled ? reconcile.interval : null,
  };
}
