import { EncodedResult } from '../protocol/json-rpc.ts';
import type { GapRecord, OutageReport } from '../protocol/ledger.ts';

/** A gap is a new record when it changes, so what has been encoded of one stays true. */
const encoded = new WeakMap<GapRecord, string>();

/** The answer to `outages`. Each gap is encoded once: ten thousand of them, 2 MB, would take 5 ms for each who asks. */
export function encodeOutages({ now, beganAt, gaps }: OutageReport): EncodedResult {
  return new EncodedResult(`{"now":${now},"beganAt":${beganAt},"gaps":[${gaps.map(encodeGap).join(',')}]}`);
}

function encodeGap(gap: GapRecord): string {
  const known = encoded.get(gap);
  if (known !== undefined) return known;
  const json = JSON.stringify(gap);
  encoded.set(gap, json);
  return json;
}
