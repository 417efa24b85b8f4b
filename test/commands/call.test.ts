import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { figd } from '../support/figd.ts';
import { FakeDaemon } from './support/fake-daemon.ts';

let daemon: FakeDaemon;
const here = () => ['--local.directory', daemon.directory];
const call = (...args: string[]) => figd(['call', ...args, ...here()]);

/** Answers with these very bytes, as `result` or `error`. */
const answer = (json: string, member = 'result') =>
  daemon.handlers.set('call', (_params, connection) => {
    connection.send(`{"jsonrpc":"2.0","id":${daemon.requests.at(-1)?.id},"${member}":${json}}\n`);
  });

beforeEach(async () => {
  daemon = await FakeDaemon.start();
});

afterEach(() => daemon.remove());

it("prints the venue's result byte for byte, on a line", async () => {
  const result = '{ "n": 1.0,"big":12345678901234567890,"t":"é🐟","n":2 }';
  answer(result);
  expect(await call('v1/rfq/list')).toEqual({ code: 0, stdout: `${result}\n`, stderr: '' });
  expect(daemon.requests).toMatchObject([{ method: 'call', params: { method: 'v1/rfq/list' } }]);
});

it('sends parameters from the command line, a file or stdin, and says how long it waits', async () => {
  answer('null');
  const params = '{"price":\n 1.0}';
  const file = join(daemon.directory, 'params.json');
  writeFileSync(file, params);
  for (const given of [params, `@${file}`]) await call('v1/rfq/create', given, '--timeout', '1500ms');
  await figd(['call', 'v1/rfq/create', '-', '--timeout', '1500ms', ...here()], params);
  const sent = { method: 'v1/rfq/create', params: { price: 1 }, timeoutMs: 1_500 };
  expect(daemon.requests.map((request) => request.params)).toEqual([sent, sent, sent]);
});

it('hides secrets unless told to show them', async () => {
  const result = '{"keys":[{"clientId":"a","clientSecret":"s3cret"}]}';
  answer(result);
  const hidden = '{"keys":[{"clientId":"a","clientSecret":"[hidden; --reveal shows it]"}]}\n';
  expect(await call('v1/keys')).toEqual({ code: 0, stdout: hidden, stderr: '' });
  expect(await call('v1/keys', '--reveal')).toEqual({ code: 0, stdout: `${result}\n`, stderr: '' });
});

it("exits 1 with the venue's own error, data and all", async () => {
  answer('{"code":-32602,"message":"bad \\u001b[31mparams","data":{"max":1.10,"token":"t"}}', 'error');
  const told =
    'figd: the venue refused it with error -32602: bad \ufffd[31mparams\n' +
    '{\n  "max": 1.10,\n  "token": "[hidden; --reveal shows it]"\n}\n';
  expect(await call('v1/rfq/list')).toEqual({ code: 1, stdout: '', stderr: told });
  answer('{"code":-32601,"message":"method not found"}', 'error');
  const brief = 'figd: the venue refused it with error -32601: method not found\n';
  expect(await call('v1/rfq/lits')).toEqual({ code: 1, stdout: '', stderr: brief });
});

it('exits 1 with the reason where figd did not make the call', async () => {
  answer('{"code":-32000,"message":"there is no live session: …","data":{"figd":true,"code":"not-live"}}', 'error');
  expect(await call('heartbeat')).toEqual({ code: 1, stdout: '', stderr: 'figd: there is no live session: …\n' });
  await daemon.stop();
  const ended = await call('heartbeat');
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toContain(`no daemon at ${daemon.path('control.sock')}`);
});

it('is told at once where the daemon could not read the request', async () => {
  daemon.handlers.set('call', (_params, connection) => {
    connection.send('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"too much","data":{"figd":true}}}\n');
  });
  expect(await call('v1/rfq/list', '[]')).toEqual({ code: 1, stdout: '', stderr: 'figd: too much\n' });
});
