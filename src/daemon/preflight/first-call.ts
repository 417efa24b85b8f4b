import { isSuccess, statusFailure } from '../../adapters/http-failures.ts';
import { type Failure, FailureError } from '../../protocol/failure.ts';
import { isRecord, parseJson } from '../../protocol/json-rpc.ts';
import type { Venue, VenueOptions } from '../venue.ts';
import { adviseOnSignature, mayBeForSignature } from './signature-trial.ts';
import { StepFailure } from './step.ts';
import type { WatchedHttp } from './watched-http.ts';

/** The venue's documented first call: it needs the role of a trader. */
const firstCall = { method: 'GET', path: '/v1/account/exchange-credentials' };
/** What figd itself needs of the REST API. */
const listCall = { method: 'GET', path: '/v1/rfq?limit=1' };
const what = `${firstCall.method} ${firstCall.path}`;

/** Makes the first call, and finds out more where the venue refuses it. @throws {StepFailure} or {FailureError} */
export async function makeFirstCall(options: VenueOptions, { rest }: Venue, http: WatchedHttp): Promise<string> {
  const { vault, clock } = options;
  const answer = await rest.call(firstCall);
  if (isSuccess(answer.status)) {
    const signed = options.settings().venue.sign ? ', signed' : '';
    return `${what}${signed}: HTTP ${answer.status}, ${countCredentials(answer.body)}`;
  }
  const found = statusFailure(what, answer, (text) => vault.quote(text), clock.wall());
  if (found.code === 'address-refused') throw new FailureError(found);
  if (mayBeForSignature(answer)) {
    throw new StepFailure(found.message, await adviseOnSignature(options, http, firstCall, http.clockReading));
  }
  if (found.code === 'permission-denied') throw new StepFailure(found.message, await adviseOnRole(found, rest));
  throw new FailureError(found);
}

/** Which role is missing, and what goes without it. */
async function adviseOnRole(found: Failure, rest: Venue['rest']): Promise<string> {
  const listing = await rest.call(listCall).catch(() => null);
  const role = /\brole\W{1,3}(\w{2,32})/i.exec(found.message)?.[1] ?? 'trader';
  const list =
    listing !== null && isSuccess(listing.status)
      ? 'The list of RFQs works, so that figd fetches what a gap missed.'
      : `GET /v1/rfq is refused too${listing === null ? '' : ` (HTTP ${listing.status})`}: what a gap missed cannot be fetched.`;
  return (
    `The key lacks the role "${role}", which calls below /v1/account need: ask the venue for it, or do without them. ` +
    `${list} Whether events come is told by the steps below.`
  );
}

/** The answer holds secrets of other venues: it is counted and forgotten. */
function countCredentials(body: string): string {
  const value = parseJson(body);
  if (value === null) return 'not JSON';
  const list = isRecord(value) ? value['data'] : value;
  return Array.isArray(list) ? `${list.length} exchange credentials` : 'in an unknown form';
}
