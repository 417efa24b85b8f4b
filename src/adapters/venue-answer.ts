import { FailureError, failure } from '../protocol/failure.ts';
import { EncodedError, EncodedResult, isRecord, parseJson } from '../protocol/json-rpc.ts';
import { memberBytes } from '../protocol/raw-json.ts';
import type { RpcAnswer } from '../protocol/request-table.ts';
import { onOneLine } from '../protocol/venue-frame.ts';
import type { Vault } from './vault.ts';

const noFrame = new Uint8Array();

/**
 * The venue's answer to a call of a local program, in the bytes in which it came.
 * @throws {RpcError} the venue's own error, as it came
 * @throws {FailureError} `withheld` where the answer holds a token or secret of ours: whoever may call has no need of it
 */
export function passOn(method: string, answer: RpcAnswer, vault: Vault): EncodedResult {
  const json = valueIn(answer, answer.ok ? 'result' : 'error');
  if (vault.holdsKey(json)) {
    const what = answer.ok ? 'the venue answered it' : `the venue refused it (${answer.error.code})`;
    throw new FailureError(
      failure('withheld', `${method}: ${what}, but its answer holds a secret of figd's and is withheld`),
    );
  }
  const text = json.toString('utf8');
  if (answer.ok) return new EncodedResult(text);
  // An error that is none by JSON-RPC 2.0 no client could read.
  throw new EncodedError(answer.error, isErrorObject(text) ? text : JSON.stringify(answer.error));
}

/** On one line, and `null` where the frame has no such member. */
function valueIn({ frame = noFrame }: RpcAnswer, member: 'result' | 'error'): Buffer {
  const json = memberBytes(asBuffer(frame), member);
  return json === undefined ? Buffer.from('null') : asBuffer(onOneLine(json));
}

/** The same memory. */
function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/** Whether it is what JSON-RPC 2.0 calls one, so that a client can read it. */
function isErrorObject(json: string): boolean {
  const value = parseJson(json);
  return isRecord(value) && Number.isInteger(value['code']) && typeof value['message'] === 'string';
}
