import type { VenueSettings } from '../../config/settings.ts';
import { venueByProfile } from '../../config/venue-profiles.ts';

/** The keys of the three addresses of the venue. */
export type UrlKey = 'restUrl' | 'tokenUrl' | 'socketUrl';

const urlKeys: readonly UrlKey[] = ['restUrl', 'tokenUrl', 'socketUrl'];

export function otherProfile({ profile }: VenueSettings): VenueSettings['profile'] {
  return profile === 'quickstart' ? 'platform' : 'quickstart';
}

/** Whether an address is the one that the profile documents. */
export function isDocumented(venue: VenueSettings, key: UrlKey): boolean {
  return venue[key] === venueByProfile(venue.profile, venue)?.[key];
}

/**
 * Somebody who moves one of the separate hosts of profile platform may have meant to move them all.
 * @param failed the address that makes trouble, where that is known
 */
export function adviseOnSeparateHosts(venue: VenueSettings, failed?: UrlKey): string | undefined {
  const [kept = [], moved = []] = [true, false].map((is) => urlKeys.filter((key) => isDocumented(venue, key) === is));
  if (venue.profile !== 'platform' || kept.length === 0 || moved.length === 0) return undefined;
  if (failed !== undefined && !kept.includes(failed)) return undefined;
  return (
    'In profile platform the venue has three hosts, and each of their addresses is set on its own: ' +
    `${named(moved)} set, ${named(kept)} not.`
  );
}

function named(keys: readonly UrlKey[]): string {
  return `${keys.map((key) => `venue.${key}`).join(' and ')} ${keys.length === 1 ? 'is' : 'are'}`;
}

/** An address without its query, in which a secret could stand. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
