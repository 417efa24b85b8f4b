import type { OpenTransport } from '../../adapters/venue-socket.ts';
import type { VenueSettings } from '../../config/settings.ts';
import { socketPaths, venueByProfile } from '../../config/venue-profiles.ts';
import type { FailureCode } from '../../protocol/failure.ts';
import { adviseOnSeparateHosts, isDocumented, otherProfile, shownUrl } from './profile-advice.ts';

/** How a server looks that answers and has no WebSocket there. */
const wrongAddress: readonly FailureCode[] = ['upgrade-refused', 'not-found', 'bad-reply'];

/**
 * What to do about a WebSocket that does not open.
 * @param open dials another address
 */
export async function adviseOnSocket(
  venue: VenueSettings,
  code: FailureCode,
  open: (url: string) => OpenTransport,
): Promise<string | undefined> {
  const hosts = adviseOnSeparateHosts(venue, 'socketUrl');
  if (hosts !== undefined) return hosts;
  if (!wrongAddress.includes(code)) return undefined;
  const nothing = `${shownUrl(venue.socketUrl)} answers, but not with a WebSocket.`;
  for (const { url, profile } of candidates(venue)) {
    if (!(await opens(open(url)))) continue;
    const key =
      profile === venue.profile ? 'venue.socketUrl' : `venue.socketUrl, and perhaps venue.profile: ${profile}`;
    return `${nothing} One opens at ${shownUrl(url)}, where profile ${profile} has it: set ${key}.`;
  }
  return `${nothing} Check venue.socketUrl: in profile quickstart it is the host of venue.restUrl with the path ${socketPaths.quickstart}, in profile platform a host of its own without a path.`;
}

interface Candidate {
  readonly url: string;
  readonly profile: VenueSettings['profile'];
}

/** Where else it may be: at the same host and at that of the REST API, as either profile has it; then as documented. */
function candidates(venue: VenueSettings): readonly Candidate[] {
  const profiles = [venue.profile, otherProfile(venue)] as const;
  const origins = [venue.socketUrl, venue.restUrl.replace(/^http/i, 'ws')].map((url) => {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  });
  const nearby = origins.flatMap((origin) =>
    profiles.map((profile) => ({ profile, url: origin + socketPaths[profile] })),
  );
  // The documented hosts are asked only by those who use one already: nobody else's simulator leads there.
  const documented = isDocumented(venue, 'restUrl')
    ? profiles.map((profile) => ({ profile, url: venueByProfile(profile, venue)?.socketUrl ?? venue.socketUrl }))
    : [];
  const byUrl = new Map([...nearby, ...documented].map((candidate) => [candidate.url, candidate]));
  byUrl.delete(venue.socketUrl.replace(/\/$/, ''));
  return [...byUrl.values()];
}

function opens(open: OpenTransport): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isOpen: boolean) => {
      transport.cut();
      resolve(isOpen);
    };
    const transport = open({ opened: () => end(true), closed: () => end(false), frame: () => undefined });
  });
}
