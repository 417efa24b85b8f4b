import type { Http, HttpRequest } from '../../adapters/http-client.ts';
import { type HttpAnswer, venueWords } from '../../adapters/http-failures.ts';
import { Rest, type RestRequest } from '../../adapters/rest.ts';
import { RestEntrance } from '../../adapters/rest-entrance.ts';
import type { SignatureSettings, VenueSettings } from '../../config/settings.ts';
import type { VenueOptions } from '../venue.ts';
import { type ClockReading, describeSkew, skewOf } from './clock-skew.ts';

/** One way to make a call that another way did not get through. */
interface Trial {
  readonly sign: boolean;
  readonly signature: SignatureSettings;
  /** Whether the time of signing is the venue's and not ours. */
  readonly byVenuesClock: boolean;
}

const signatureWords = /signature|timestamp|x-fig/i;

/** Whether a refusal may be for its signature: 401, or words that say so. */
export function mayBeForSignature({ status, body }: HttpAnswer): boolean {
  return status === 401 || ((status === 400 || status === 403) && signatureWords.test(venueWords(body)));
}

/**
 * Makes a call that was refused in the other ways that the venue's documentation leaves open, one after the other until
 * one gets through, and says what to do: a handful of requests.
 * @param reading of the venue's clock, where it could be read
 */
export async function adviseOnSignature(
  options: VenueOptions,
  http: Http,
  call: RestRequest,
  reading: ClockReading | null,
): Promise<string> {
  const { venue } = options.settings();
  const skew = skewOf(reading);
  for (const trial of trials(venue, skew !== 0)) {
    const answer = await send(options, http, call, trial, skew);
    if (answer === null || answer.status === 429 || answer.status >= 500) break;
    if (!mayBeForSignature(answer)) return remedy(venue, trial, skew, answer.status);
  }
  const clocks = skew === 0 ? 'the clocks agree' : `${describeSkew(skew)}, which does not explain it`;
  return (
    `No setting of venue.sign and venue.signature gets through${reading === null ? '' : `, and ${clocks}`}. ` +
    'The token is fresh: do venue.tokenUrl and venue.restUrl belong together?'
  );
}

/** As configured first, where only the clock would be another one. */
function trials({ sign, signature }: VenueSettings, isSkewed: boolean): readonly Trial[] {
  const prefixes = [...new Set([signature.omitPrefix, undefined, '/v1'])];
  const encodings = signature.encoding === 'hex' ? (['hex', 'base64'] as const) : (['base64', 'hex'] as const);
  const forms = encodings.flatMap((encoding) => prefixes.map((omitPrefix) => ({ encoding, omitPrefix })));
  const signed = forms.map((form) => ({ sign: true, signature: form, byVenuesClock: isSkewed }));
  // The first form is that of the call that was refused.
  const untried = sign && !isSkewed ? signed.slice(1) : signed;
  return sign ? [...untried, { sign: false, signature, byVenuesClock: false }] : untried;
}

async function send(
  { settings, vault, clock }: VenueOptions,
  http: Http,
  call: RestRequest,
  { sign, signature, byVenuesClock }: Trial,
  skew: number,
): Promise<HttpAnswer | null> {
  const entrance = new RestEntrance({ restUrl: settings().venue.restUrl, sign, signature }, vault);
  const wall = (): number => clock.wall() + (byVenuesClock ? skew : 0);
  // A handful of requests that nobody else makes meanwhile: the venue's limit is far.
  const own = { send: (make: () => HttpRequest) => http.send(make()) };
  return await new Rest({ entrance, http: own, vault, clock: { ...clock, wall } }).call(call).catch(() => null);
}

/** What to change so that calls are made as the one that got through. */
function remedy(venue: VenueSettings, { sign, signature, byVenuesClock }: Trial, skew: number, status: number): string {
  const { encoding, omitPrefix } = signature;
  const changes = [
    ...(sign === venue.sign ? [] : [`venue.sign: ${sign}`]),
    ...(sign && encoding !== venue.signature.encoding ? [`venue.signature.encoding: ${encoding}`] : []),
    ...(sign && omitPrefix !== venue.signature.omitPrefix
      ? [omitPrefix === undefined ? 'no venue.signature.omitPrefix' : `venue.signature.omitPrefix: ${omitPrefix}`]
      : []),
  ];
  const settings = changes.length === 0 ? '' : `The venue accepts the call with ${changes.join(' and ')}.`;
  const remains = status >= 300 ? `It then answers HTTP ${status}: check again when this is done.` : '';
  const clock = byVenuesClock ? `${describeSkew(skew)}, and signatures hold the time: set it right (NTP).` : '';
  return [capitalised(clock), settings, remains].filter((part) => part !== '').join(' ');
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
