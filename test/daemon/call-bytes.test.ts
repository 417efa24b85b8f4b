import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Calls } from '../../src/daemon/calls.ts';
import type { AccessRecord } from '../../src/gateway/access-record.ts';
import { Permissions } from '../../src/gateway/permissions.ts';
import { parseCall } from '../../src/protocol/local-requests.ts';
import { LocalDaemon } from '../adapters/support/local-daemon.ts';
import { socketServer } from '../adapters/support/socket-server.ts';
import { vaultWith } from '../adapters/support/venue.ts';
import { TestSession } from '../adapters/support/venue-session.ts';
import { until } from '../support/until.ts';
import { venueMethods } from '../support/venue-methods.ts';

/** A venue that answers each call with its own parameters: the very bytes, not what they mean. */
async function mirror() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (peer) => {
    peer.on('message', (data) => {
      const text = String(data);
      const [, id = '', method = ''] = /^\{"jsonrpc":"2.0","id":(\d+),"method":"([^"]+)","params":/.exec(text) ?? [];
      const params = text.slice(text.indexOf('"params":') + '"params":'.length, -1);
      peer.send(`{"id":${id},"${method === 'refuse' ? 'error' : 'result'}":${params}}`);
    });
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const peer of server.clients) peer.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Calls on a session with that venue, made on a local socket. */
async function stage(url: string) {
  const under = new TestSession(url);
  await under.whenOpen();
  const records: AccessRecord[] = [];
  const calls = new Calls({
    clock: systemClock(),
    vault: vaultWith(),
    permissions: new Permissions(undefined),
    methods: venueMethods,
    timeout: () => 5_000,
    live: () => 1,
    whyNot: () => '',
    onCall: (record) => records.push(record),
  });
  calls.begin(1, under.session);
  const daemon = await LocalDaemon.start({
    control: { call: (params, caller, line) => calls.call(parseCall(params, line), caller) },
  });
  return {
    daemon,
    records,
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]();
      await under[Symbol.asyncDispose]();
    },
  };
}

test('the answer to a caller that has gone meanwhile goes nowhere, and no call waits for it', async () => {
  const answers: (() => void)[] = [];
  await using venue = await socketServer(({ id }, peer) => {
    answers.push(() => peer.send(`{"id":${id},"result":"late"}`));
    return undefined;
  });
  await using under = await stage(venue.url);
  const { daemon, records } = under;
  const [leaving, staying] = [await daemon.connect(daemon.controlPath), await daemon.connect(daemon.controlPath)];
  leaving.write('{"id":1,"method":"call","params":{"method":"slow"}}\n');
  await until('the call to be made', () => answers.length === 1);
  await leaving.close();
  staying.write('{"id":1,"method":"call","params":{"method":"slow"}}\n');
  await until('the other call to be made', () => answers.length === 2);
  for (const answer of answers) answer();
  expect(await staying.line(1)).toBe('{"jsonrpc":"2.0","id":1,"result":"late"}');
  expect([leaving.lines.length, staying.lines.length, daemon.bugs]).toEqual([1, 2, []]);
  expect(records.map(({ status }) => status)).toEqual(['ok', 'ok']);
});

test('parameters, results and errors pass through figd byte for byte, from local socket to venue and back', async () => {
  await using venue = await mirror();
  await using under = await stage(venue.url);
  const { daemon } = under;
  const client = await daemon.connect(daemon.controlPath);
  const values = [
    '{"id":12345678901234567890,"price":0.10,"size":1e3,"b":1,"a":2,"b":3}',
    '[1.0,-0,"\\u00e4ä😀\\ud800\\/",{"params":{"id":9}}]',
    `{"text":"${'long '.repeat(100_000)}"}`,
    '{ "spaced" :\t[ ] }',
  ];
  for (const [index, json] of values.entries()) {
    client.write(`{"jsonrpc":"2.0","id":${index},"method":"call","params":{"method":"echo","params":${json}}}\n`);
  }
  const error = '{"message":"no","code":-32042,"data":{"limit":1.10},"extra":[]}';
  client.write(`{"id":"e","method":"call","params":{"method":"refuse","params":${error}}}\n`);
  for (const [index, json] of values.entries()) {
    expect(await client.line(index + 1)).toBe(`{"jsonrpc":"2.0","id":${index},"result":${json}}`);
  }
  expect(await client.line(values.length + 1)).toBe(`{"jsonrpc":"2.0","id":"e","error":${error}}`);
});
