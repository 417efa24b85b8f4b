import type { Http } from '../../adapters/http-client.ts';
import { type HttpAnswer, venueWords } from '../../adapters/http-failures.ts';
import type { VenueSettings } from '../../config/settings.ts';
import { tokenPaths, venueByProfile } from '../../config/venue-profiles.ts';
import type { Failure } from '../../protocol/failure.ts';
import { isRecord, parseJson } from '../../protocol/json-rpc.ts';
import { adviseOnSeparateHosts, isDocumented, otherProfile, shownUrl } from './profile-advice.ts';

type Style = VenueSettings['tokenStyle'];
type Profile = VenueSettings['profile'];

const profileOf: Readonly<Record<Style, Profile>> = { json: 'quickstart', oauth2: 'platform' };
const styleOf: Readonly<Record<Profile, Style>> = { quickstart: 'json', platform: 'oauth2' };
const nameOf: Readonly<Record<Style, string>> = { json: 'JSON', oauth2: 'OAuth2' };

/**
 * What to do about a token endpoint that grants nothing.
 * @param answer what it said; null where it said nothing
 */
export async function adviseOnToken(
  venue: VenueSettings,
  found: Failure,
  answer: HttpAnswer | null,
  http: Http,
): Promise<string | undefined> {
  const hosts = adviseOnSeparateHosts(venue, 'tokenUrl');
  if (hosts !== undefined) return hosts;
  if (answer === null || answer.status === 429 || answer.status >= 500) return undefined;
  if (isNoEndpoint(answer)) return await findEndpoint(venue, http);
  const spoken = formOf(answer, venue.tokenStyle);
  if (spoken !== venue.tokenStyle) {
    return (
      `This endpoint takes ${nameOf[spoken]}, as in profile ${profileOf[spoken]}, ` +
      `and was asked in ${nameOf[venue.tokenStyle]}: set ${keyFor(venue, spoken)}.`
    );
  }
  if (found.code !== 'credentials-refused') return undefined;
  return (
    'The venue does not know this client id with this secret: compare both with the key at the venue. ' +
    `Its environments have keys of their own, and venue.environment is ${venue.environment}.`
  );
}

/** What to say of a grant in which the profile leads to expect more, or less. */
export function remarkOnGrant({ tokenStyle }: VenueSettings, answer: HttpAnswer | null): string {
  const body = parseJson(answer?.body ?? '');
  const isRenewable = isRecord(body) && typeof body['refresh_token'] === 'string';
  if (tokenStyle === 'json') return isRenewable ? ', with a refresh token, which only profile platform uses' : '';
  return isRenewable ? ', with a refresh token' : ', without a refresh token: figd renews with the credentials';
}

const wantsToken = /\b(?:invalid|expired|missing|no)\b.{0,20}\btoken\b|\bbearer\b/i;

/** Whether there is no token endpoint behind this answer: nothing at all, a page, or something that wants a token itself. */
function isNoEndpoint({ status, body }: HttpAnswer): boolean {
  return status < 400 || [404, 405, 410].includes(status) || (status === 401 && wantsToken.test(venueWords(body)));
}

/**
 * The form in which an endpoint wants to be asked, told by how it refuses: RFC 6749 (5.2) has `error`, the venue's own
 * API `code` and `message`.
 */
function formOf({ status, body }: HttpAnswer, asked: Style): Style {
  const parsed = parseJson(body);
  if (isRecord(parsed) && typeof parsed['code'] === 'number') return 'json';
  if (isRecord(parsed) && typeof parsed['error'] === 'string') return 'oauth2';
  const isMediaRefused = status === 415;
  return isMediaRefused === (asked === 'json') ? 'oauth2' : 'json';
}

/** The keys with which another form is spoken. */
function keyFor({ profile }: VenueSettings, style: Style): string {
  if (styleOf[profile] === style) return `venue.tokenStyle: ${style}`;
  return `venue.profile: ${profileOf[style]} (or venue.tokenStyle: ${style} alone)`;
}

async function findEndpoint(venue: VenueSettings, http: Http): Promise<string> {
  const { profile, tokenUrl } = venue;
  const other = otherProfile(venue);
  const elsewhere = venueByProfile(other, venue);
  const nothing = `There is no token endpoint at ${shownUrl(tokenUrl)}.`;
  if (isDocumented(venue, 'tokenUrl') && elsewhere !== null) {
    return `${nothing} That of profile ${other} is at ${shownUrl(elsewhere.tokenUrl)}: set venue.profile: ${other}.`;
  }
  for (const candidate of [profile, other]) {
    const url = new URL(tokenPaths[candidate], tokenUrl).href;
    if (url === tokenUrl || !(await isEndpoint(url, styleOf[candidate], http))) continue;
    const keys = candidate === profile ? 'venue.tokenUrl' : `venue.profile: ${candidate} and venue.tokenUrl`;
    return `${nothing} There is one of profile ${candidate} at ${url}: set ${keys}.`;
  }
  return `${nothing} Check venue.tokenUrl: in profile ${profile} its path is ${tokenPaths[profile]}.`;
}

/** Asks without credentials: an endpoint refuses that in its own form. */
async function isEndpoint(url: string, style: Style, http: Http): Promise<boolean> {
  const [type, body] =
    style === 'json'
      ? (['application/json', '{}'] as const)
      : (['application/x-www-form-urlencoded', 'grant_type=client_credentials'] as const);
  const headers = { accept: 'application/json', 'content-type': type };
  const answer = await http.send({ method: 'POST', url, headers, body }).catch(() => null);
  return answer !== null && !isNoEndpoint(answer) && answer.status < 500 && formOf(answer, style) === style;
}
