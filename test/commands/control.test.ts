import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { figd } from '../support/figd.ts';
import { FakeDaemon } from './support/fake-daemon.ts';

let daemon: FakeDaemon;
const here = () => ['--local.directory', daemon.directory];
const rest = (...args: string[]) => figd(['rest', ...args, ...here()]);
const answer = (body: string, status = 200) =>
  daemon.handlers.set('rest', () => ({ status, contentType: 'application/json', body }));

beforeEach(async () => {
  daemon = await FakeDaemon.start();
});

afterEach(() => daemon.remove());

it.each(['reload', 'reconnect', 'rotate', 'refresh'])('%s says what came of it', async (method) => {
  daemon.handlers.set(method, () => ({ accepted: true, detail: 'dialling now' }));
  expect(await figd([method, ...here()])).toEqual({ code: 0, stdout: 'dialling now\n', stderr: '' });
  daemon.handlers.set(method, () => ({ accepted: false, detail: 'one is under way' }));
  expect(await figd([method, ...here()])).toEqual({ code: 1, stdout: '', stderr: 'figd: one is under way\n' });
  await daemon.stop();
  const ended = await figd([method, ...here()]);
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toContain(`no daemon at ${daemon.path('control.sock')}`);
});

it('prints the bytes of a reply that holds no secret', async () => {
  const body = '{ "n": 1.0,\n "big":12345678901234567890, "t":"é🐟" }\n';
  answer(body);
  expect(await rest('get', '/v1/rfq?limit=1')).toEqual({ code: 0, stdout: body, stderr: '' });
  expect(daemon.requests).toMatchObject([{ params: { method: 'GET', path: '/v1/rfq?limit=1' } }]);
});

it('hides secrets unless told to show them', async () => {
  const body = '{"success":true,"data":[{"clientId":"a","clientSecret":"s3cret"}]}';
  answer(body);
  const hidden = '{"success":true,"data":[{"clientId":"a","clientSecret":"[hidden; --reveal shows it]"}]}';
  expect(await rest('GET', '/v1/account/exchange-credentials')).toEqual({ code: 0, stdout: hidden, stderr: '' });
  expect(await rest('GET', '/v1/x', '--reveal')).toEqual({ code: 0, stdout: body, stderr: '' });
});

it('exits 1 with the status when the venue says no', async () => {
  answer('{"code":403}', 403);
  expect(await rest('GET', '/v1/x')).toEqual({
    code: 1,
    stdout: '{"code":403}',
    stderr: 'figd: the venue answered 403\n',
  });
  daemon.handlers.set('rest', () => new Error('no token yet'));
  expect(await rest('GET', '/v1/x')).toEqual({ code: 1, stdout: '', stderr: 'figd: no token yet\n' });
});

it('sends a body from the command line, a file or stdin, byte for byte', async () => {
  answer('{}');
  const data = '{"price": 1.0}';
  const file = join(daemon.directory, 'body.json');
  writeFileSync(file, data);
  await rest('POST', '/v1/rfq', '--data', data);
  await rest('POST', '/v1/rfq', '--data', `@${file}`);
  await figd(['rest', 'POST', '/v1/rfq', '--data', '-', ...here()], data);
  expect(daemon.requests.map(({ params }) => params?.['data'])).toEqual([data, data, data]);
});

it('quotes nothing of a body that is not JSON', async () => {
  const ended = await rest('POST', '/v1/x', '--data', '{"secret": s3cret');
  expect(ended).toMatchObject({ code: 64, stdout: '' });
  expect(ended.stderr).toMatch(/^figd: --data is not JSON\nTry: figd rest --help\n$/);
  expect(daemon.requests).toEqual([]);
});
