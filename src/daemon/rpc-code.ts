import { rpcErrorCode } from '../protocol/json-rpc.ts';

const ofTheirOwn: ReadonlyMap<string, number> = new Map([
  ['not-live', rpcErrorCode.notLive],
  ['not-allowed', rpcErrorCode.notAllowed],
  ['bad-request', rpcErrorCode.invalidParams],
]);

/** The code of JSON-RPC for what figd says no with in the venue's place, whichever way it was asked. */
export function rpcCodeOf(code: string): number {
  return ofTheirOwn.get(code) ?? rpcErrorCode.venueFailure;
}
