import { loadSettings } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/settings.ts';
import { defaultOptions } from '../../src/simulator/options.ts';
import { jsonTokenPath, oauth2TokenPath } from '../../src/simulator/token-endpoints.ts';
import type { Plan, Reload, Setting } from './plan.ts';

const restUrl = 'http://127.0.0.1:1';

/** The configuration of figd, as a seed has it or as it was changed since. */
export function settingsOf(setting: Setting, change?: Reload): Settings {
  const { clientId, clientSecret } = defaultOptions;
  const settings = loadSettings({
    systemFile: '/nonexistent/figd.yaml',
    env: { FIGD_CREDENTIALS__CLIENT_ID: clientId, FIGD_CREDENTIALS__CLIENT_SECRET: clientSecret },
    flags: {
      'venue.rest-url': restUrl,
      'venue.token-style': setting.style,
      'venue.token-url': restUrl + (setting.style === 'json' ? jsonTokenPath : oauth2TokenPath),
      'session.renewal': setting.renewal,
      'session.authenticate-with': setting.authenticateWith,
      'session.heartbeat-interval': `${change?.heartbeatInterval ?? setting.heartbeatInterval}ms`,
      'reconcile.enabled': String(setting.reconcile),
      'reconcile.interval': `${change?.reconcileInterval ?? 2_400_000}ms`,
      // At a few events a minute the simulated market is slow to say that an RFQ has expired.
      'reconcile.lookback': setting.rate < 0.02 ? '3h' : '1h',
      'venue.requests-per-minute': String(setting.requestsPerMinute),
      'local.directory': '/tmp/figd-simulation',
      ...(change === undefined ? {} : flagsOf(change)),
    },
  });
  // Less than anybody may configure, so that a few events a minute write over it.
  return { ...settings, journal: { ...settings.journal, ring: setting.ringBytes } };
}

function flagsOf({ channels, refreshAt, backoffMax }: Reload): Record<string, string> {
  return {
    'session.channels': channels.join(),
    'session.backoff.max': `${backoffMax}ms`,
    'token.refresh-at': String(refreshAt),
  };
}

/** The venue as a seed has it. */
export function venueOptions({ setting, seed }: Plan) {
  const { tokenLife, refreshTokenLife, inPlaceRefresh, tokenInAuthReply, authRefusal, maxSessions, rate } = setting;
  const { requestsPerMinute: httpLimit } = setting;
  return {
    seed,
    tokenLife,
    refreshTokenLife,
    inPlaceRefresh,
    tokenInAuthReply,
    authRefusal,
    maxSessions,
    rate,
    httpLimit,
  };
}
