import type { VenueSettings } from './settings.ts';

// Hosts and styles of the venue's two documented dialects. The quickstart names test hosts only; the platform guides
// name test and production, with a host each for REST, tokens and the socket.

type Hosts = Pick<VenueSettings, 'restUrl' | 'tokenUrl' | 'socketUrl'>;

const quickstartTestUrl = 'https://api.test.figmarkets.com';

const platformHosts: Readonly<Record<VenueSettings['environment'], Hosts>> = {
  test: {
    restUrl: 'https://api.test.figmarkets.com',
    tokenUrl: 'https://id.test.figmarkets.com/realms/figmarkets-api/protocol/openid-connect/token',
    socketUrl: 'wss://ws.test.figmarkets.com',
  },
  production: {
    restUrl: 'https://api.figmarkets.com',
    tokenUrl: 'https://id.figmarkets.com/realms/figmarkets-api/protocol/openid-connect/token',
    socketUrl: 'wss://ws.figmarkets.com',
  },
};

type Own<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/** The venue block before its profile has filled it in. */
export type VenueAsWritten = Pick<VenueSettings, Always> & Own<Omit<VenueSettings, Always>>;

/** Keys with the same default in every profile. */
type Always = 'profile' | 'environment' | 'methods' | 'signature' | 'requestsPerMinute';

/** Whether production is asked for in the profile that knows no production hosts, without a host of its own. */
export function lacksHosts({ profile, environment, restUrl }: VenueAsWritten): boolean {
  return profile === 'quickstart' && environment === 'production' && restUrl === undefined;
}

/**
 * Fills in what the profile knows for keys not set on their own. In profile quickstart one host serves everything, so
 * that `restUrl` alone moves token and socket along with it; in platform they are separate hosts.
 */
export function fillVenue(written: VenueAsWritten): VenueSettings {
  const { profile, environment, methods, signature, requestsPerMinute } = written;
  const hosts =
    profile === 'quickstart' ? quickstartHosts(written.restUrl ?? quickstartTestUrl) : platformHosts[environment];
  return {
    profile,
    environment,
    restUrl: written.restUrl ?? hosts.restUrl,
    tokenUrl: written.tokenUrl ?? hosts.tokenUrl,
    tokenStyle: written.tokenStyle ?? (profile === 'quickstart' ? 'json' : 'oauth2'),
    socketUrl: written.socketUrl ?? hosts.socketUrl,
    methods,
    sign: written.sign ?? profile === 'platform',
    signature,
    requestsPerMinute,
  };
}

function quickstartHosts(restUrl: string): Hosts {
  return {
    restUrl,
    tokenUrl: `${restUrl}/v1/auth`,
    socketUrl: `${restUrl.replace(/^http/i, 'ws')}/ws/v1`,
  };
}
