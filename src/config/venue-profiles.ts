import type { VenueSettings } from './settings.ts';

// Hosts and styles of the venue's two documented dialects. The quickstart names test hosts only; the platform guides
// name test and production, with a host each for REST, tokens and the socket.

/** Where the token endpoint is on its host. */
export const tokenPaths = {
  quickstart: '/v1/auth',
  platform: '/realms/figmarkets-api/protocol/openid-connect/token',
} as const satisfies Record<VenueSettings['profile'], string>;

/** Where the WebSocket is on its host. */
export const socketPaths = { quickstart: '/ws/v1', platform: '' } as const satisfies Record<
  VenueSettings['profile'],
  string
>;

type Hosts = Pick<VenueSettings, 'restUrl' | 'tokenUrl' | 'socketUrl'>;

const quickstartTestUrl = 'https://api.test.figmarkets.com';

const platformHosts: Readonly<Record<VenueSettings['environment'], Hosts>> = {
  test: {
    restUrl: 'https://api.test.figmarkets.com',
    tokenUrl: `https://id.test.figmarkets.com${tokenPaths.platform}`,
    socketUrl: 'wss://ws.test.figmarkets.com',
  },
  production: {
    restUrl: 'https://api.figmarkets.com',
    tokenUrl: `https://id.figmarkets.com${tokenPaths.platform}`,
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

/** The venue as a profile alone has it, in the environment of another one; null where the profile knows no hosts. */
export function venueByProfile(profile: VenueSettings['profile'], like: VenueSettings): VenueSettings | null {
  const { environment, methods, signature, requestsPerMinute } = like;
  const written = { profile, environment, methods, signature, requestsPerMinute };
  return lacksHosts(written) ? null : fillVenue(written);
}

function quickstartHosts(restUrl: string): Hosts {
  return {
    restUrl,
    tokenUrl: restUrl + tokenPaths.quickstart,
    socketUrl: restUrl.replace(/^http/i, 'ws') + socketPaths.quickstart,
  };
}
