import { type Failure, type FailureCode, failure, failureCodes, withUnknown } from '../protocol/failure.ts';
import type { RpcErrorObject } from '../protocol/json-rpc.ts';
import { type Reference, waitInData, waitInWords } from './retry-after.ts';
import { addressWords, authenticationWords, closeCodes, closeWords, rpcCodes, rpcRefusals } from './wire-codes.ts';

/**
 * What it means that the venue closed the socket; see {@link closeCodes}.
 * @param reason the venue's words, already fit for a message
 */
export function closeFailure(code: number, reason: string): Failure {
  const byWords = closeWords.find(({ words }) => words.test(reason))?.means;
  const byCode = closeCodes[code];
  const said = `the venue closed the session with ${code}${reason === '' ? '' : `, "${reason}"`}`;
  const lost = code === 1006 ? 'the connection broke without a closing handshake' : said;
  const found = limitedBy(byWords ?? byCode ?? 'closed-unknown', lost, waitInWords(reason));
  return byCode === undefined ? withUnknown(found, 'close', code) : found;
}

const refusalWords = /auth|token|credential|unauthori[sz]ed|denied|forbidden|expired/i;
const limitWords = /limit|too many|throttl/i;

export interface RpcContext {
  /** The failure code of a refusal when the call was to authenticate, else null. */
  readonly authenticating: FailureCode | null;
  /** The time to measure a limit's reset by. */
  readonly reference: Reference;
}

/**
 * What a JSON-RPC error means; see {@link rpcCodes}. In reply to `auth` the venue uses −32700 for an authentication
 * error, which the specification reserves for unreadable JSON.
 * @param error its message already fit for a message of ours; of its `data` nothing is taken but how long to wait
 */
export function rpcFailure(method: string, error: RpcErrorObject, { authenticating, reference }: RpcContext): Failure {
  const { code, message, data } = error;
  const means = rpcMeaning(error, authenticating);
  const wait = waitInData(data, reference) ?? waitInWords(message);
  const found = limitedBy(means, `${method}: error ${code}, "${message}"`, wait);
  return rpcCodes[code] === undefined ? withUnknown(found, 'rpc', code) : found;
}

/**
 * Whether an error in reply to a call that needs a session refuses what the session was authenticated with, and not what
 * was asked for.
 */
export function isOfAuthentication({ code, message }: RpcErrorObject): boolean {
  if (code === 401) return true;
  const isOpen = rpcCodes[code] === undefined || rpcRefusals.includes(code);
  return isOpen && authenticationWords.test(message);
}

function rpcMeaning({ code, message }: RpcErrorObject, authenticating: FailureCode | null): FailureCode {
  if (limitWords.test(message)) return 'rate-limited';
  const known = rpcCodes[code];
  const isRefusal = known === undefined ? refusalWords.test(message) : rpcRefusals.includes(code);
  const isForAddress = addressWords.test(message);
  if (authenticating !== null && (isRefusal || known === 'permission-denied') && isForAddress) return 'address-refused';
  if (isRefusal) return authenticating ?? 'rpc-error';
  return known ?? 'rpc-unknown';
}

/** A wait is heeded where the venue limits us; elsewhere figd keeps its own pace. */
function limitedBy(code: FailureCode, message: string, wait: number | undefined): Failure {
  return failure(code, message, failureCodes[code][0] === 'limited' ? wait : undefined);
}
