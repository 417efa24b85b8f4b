import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { passOn } from '../../src/adapters/venue-answer.ts';
import { FailureError } from '../../src/protocol/failure.ts';
import { EncodedError, encodeError, encodeResult } from '../../src/protocol/json-rpc.ts';
import { RequestTable } from '../../src/protocol/request-table.ts';
import { readFrame } from '../../src/protocol/venue-frame.ts';
import { vaultWith } from './support/venue.ts';

const timers = { setTimeout: () => 0, clearTimeout: () => undefined };

/** What a caller gets, as a line, where the venue answers its call in this frame. */
async function line(frame: string, vault = vaultWith()): Promise<string> {
  const table = new RequestTable(timers);
  const bytes = Buffer.from(frame);
  const answer = table.call('v1/rfq/list', '{}', 1_000, () => {
    const read = readFrame(bytes, () => false);
    if (read.kind === 'reply') table.settle(read.id, read.result, read.error, bytes);
  });
  try {
    return encodeResult('x', passOn('v1/rfq/list', await answer, vault));
  } catch (error) {
    if (error instanceof FailureError) return error.message;
    if (!(error instanceof EncodedError)) throw error;
    return encodeError('x', error);
  }
}

const ofResult = (json: string) => `{"jsonrpc":"2.0","id":"x","result":${json}}\n`;
const ofError = (json: string) => `{"jsonrpc":"2.0","id":"x","error":${json}}\n`;

describe("the venue's answer is passed on in the bytes in which it came", () => {
  test.each([
    '{"b":1,"a":2,"b":3}',
    '[12345678901234567890.10,1e3,-0,1.50]',
    '"ä\\u00e4\\/ \\ud83d\\ude00 😀 \\ud800"',
    'null',
    'false',
    '{"result":{"id":2},"error":null}',
  ])('%s', async (json) => {
    expect(await line(`{"jsonrpc":"2.0","id":1,"result":${json}}`)).toBe(ofResult(json));
    expect(await line(`{"id":1,"method":"v1/rfq/list","result": ${json} ,"usMs":5}`)).toBe(ofResult(json));
    const error = `{"message":"no","data":${json},"code":-32042,"more":1.0}`;
    expect(await line(`{"error":${error},"id":1}`)).toBe(ofError(error));
  });

  test('on one line, whatever its layout', () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.constantFrom('\t', 1, 2), async (value, indent) => {
        const json = JSON.stringify(value, null, indent).replaceAll('\n', '\r\n');
        const frame = `{\n"id": 1,\r"result":\n${json}\n}`;
        expect(await line(frame)).toBe(ofResult(json.replaceAll('\r\n', '  ')));
      }),
    ));

  test.each([
    ['an error that is a text', '"no"', '{"code":0,"message":"no"}'],
    ['an error without a code', '{"message":"no","data":1.0}', '{"code":0,"message":"no","data":1}'],
    ['an error without words', '{"code":7,"message":null}', '{"code":7,"message":"no message"}'],
  ])('but for %s, which no client could read', async (_, error, expected) => {
    expect(await line(`{"id":1,"error":${error}}`)).toBe(ofError(expected));
  });

  test('and a reply without a result is null', async () => {
    expect(await line('{"id":1,"error":null}')).toBe(ofResult('null'));
  });
});

describe("an answer that holds one of figd's own secrets is withheld", () => {
  const vault = vaultWith('demo-client-id', 'quo"ted/secret');
  vault.keep({ value: 'the-access-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, 'the-refresh-token');

  test.each([
    '{"echo":{"token":"the-access-token"}}',
    '"the-refresh-token"',
    '{"a":"quo\\"ted/secret"}',
    '{"a":"quo\\u0022ted\\/secret"}',
    '{"the\\u002daccess-token":1}',
    '{"echo":"{\\"clientSecret\\":\\"quo\\\\\\"ted/secret\\"}"}',
  ])('as in %s', async (json) => {
    const told = await line(`{"id":1,"result":${json}}`, vault);
    expect(told).toBe("v1/rfq/list: the venue answered it, but its answer holds a secret of figd's and is withheld");
    const error = `{"code":-32602,"message":"bad params","data":${json}}`;
    expect(await line(`{"id":1,"error":${error}}`, vault)).toBe(
      "v1/rfq/list: the venue refused it (-32602), but its answer holds a secret of figd's and is withheld",
    );
  });

  test("but not one that holds the client id, or somebody else's token", async () => {
    const json = '{"clientId":"demo-client-id","jwt":"eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0","a":"Bearer other-token"}';
    expect(await line(`{"id":1,"result":${json}}`, vault)).toBe(ofResult(json));
  });
});
