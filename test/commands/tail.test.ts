import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Figd, figd, source } from '../support/figd.ts';
import { type Connection, FakeDaemon } from './support/fake-daemon.ts';

let daemon: FakeDaemon;
const tailing = (...args: string[]) => ['tail', '--local.directory', daemon.directory, ...args];
const sequence = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).seq);
const subscriptions = () => daemon.requests.map(({ params }) => params);

beforeEach(async () => {
  daemon = await FakeDaemon.start();
});

afterEach(() => daemon.remove());

it("prints the venue's bytes as they came, whatever the chunks", async () => {
  const params =
    '{"seq":10,"channel":"a}\\"{","receivedAt":1.50,"session":1,"message": {"n":1.0e2,"t":"é\\u00e9€🐟","params":{}} }';
  const line = Buffer.from(`{"jsonrpc":"2.0","method":"event","params":${params}}\n`);
  daemon.onSubscribe(10, async (connection) => {
    for (const byte of line) {
      connection.send(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
  });
  const run = new Figd(tailing('--count', '1'));
  expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
  expect(run.stdoutBytes).toEqual(Buffer.from(`${params}\n`));
});

it('ends after --count events, and asks for what it was told', async () => {
  daemon.onSubscribe(1_200, (connection) => {
    for (let seq = 1_200; seq < 1_300; seq += 1) connection.event(seq);
  });
  const ended = await figd(tailing('rfq.*', 'rfq_quote.maker', '--from', 'e:1:1200', '--count', '3'));
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(sequence(ended.stdout)).toEqual([1_200, 1_201, 1_202]);
  const from = { epoch: 'e:1', seq: 1_200 };
  expect(subscriptions()).toEqual([{ channels: ['rfq.*', 'rfq_quote.maker'], from }]);
});

it('asks for what came since a moment', async () => {
  daemon.onSubscribe(1, (connection) => connection.event(2));
  const before = Date.now() - 600_000;
  const ended = await figd(tailing('--since', '10m', '--count', '1'));
  expect(sequence(ended.stdout)).toEqual([2]);
  const [{ from }] = subscriptions() as [{ from: { since: number } }];
  expect(Object.keys(from)).toEqual(['since']);
  expect(from.since - before).toBeGreaterThanOrEqual(0);
  expect(from.since).toBeLessThanOrEqual(Date.now() - 600_000);
});

it('goes on behind the last event when the daemon comes back, each event once', async () => {
  daemon.onSubscribe(10, (connection) => {
    connection.event(10);
    connection.event(11);
    connection.hangUp('shutting down');
  });
  const run = new Figd(tailing());
  await run.until(({ stderr }) => stderr.includes('shutting down; waiting for the daemon to come back'));
  await daemon.stop();
  daemon.onSubscribe(12, (connection) => {
    connection.event(11);
    connection.event(12);
  });
  await daemon.start();
  await run.until(({ stdout, stderr }) => stdout.split('\n').length > 3 && stderr.includes('going on at 12'));
  run.child.kill('SIGINT');
  expect(await run.ended).toMatchObject({ code: 0 });
  expect(sequence(run.stdout)).toEqual([10, 11, 12]);
  expect(subscriptions()[0]).toEqual({ from: 'now' });
  expect(subscriptions().at(-1)).toEqual({ from: { epoch: 'e1', seq: 12 } });
});

it('asks for what followed its subscription when the daemon goes before any event', async () => {
  daemon.onSubscribe(10, (connection) => connection.hangUp());
  const run = new Figd(tailing('--count', '1'));
  await run.until(({ stderr }) => stderr.includes('waiting for the daemon'));
  daemon.onSubscribe(10, (connection) => connection.event(10));
  expect(await run.ended).toMatchObject({ code: 0 });
  expect(subscriptions().at(-1)).toEqual({ from: { epoch: 'e1', seq: 10 } });
});

it.each([
  ['expired', { from: 5, to: 19, reason: 'expired' }],
  ['epoch', { from: 5, to: null, reason: 'epoch' }],
])('shows what is lost when it cannot start where it was told (%s)', async (reason, lost) => {
  const then = (connection: Connection) => {
    connection.notify('lost', { from: 21, to: 29, reason: 'expired' });
    connection.event(30);
  };
  daemon.onSubscribe(20, then, { resumed: false, reason });
  const { stdout } = await figd(tailing('--from', 'e0:5', '--count', '1'));
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([{ lost }, { lost: { from: 21, to: 29, reason: 'expired' } }, { seq: 30 }]);
});

it('ends quietly when its reader does', async () => {
  daemon.onSubscribe(1, (connection) => {
    for (let seq = 1; seq <= 50_000; seq += 1) connection.event(seq);
  });
  const script = `"$0" "$@" | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const shell = spawn('bash', ['-c', script, process.execPath, source, ...tailing()]);
  let stdout = '';
  let stderr = '';
  shell.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  shell.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  await once(shell, 'close');
  expect(stderr).toBe('');
  expect(stdout.split('\n').slice(1)).toEqual(['0', '']);
  expect(sequence(stdout.split('\n')[0] ?? '')).toEqual([1]);
});

it('says why when it cannot begin', async () => {
  daemon.handlers.set('subscribe', () => new Error('seq 99 is beyond the head'));
  expect(await figd(tailing('--from', 'e1:99'))).toEqual({
    code: 1,
    stdout: '',
    stderr: 'figd: seq 99 is beyond the head\n',
  });
  await daemon.stop();
  expect(await figd(tailing())).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^figd: not running: no daemon at/),
  });
});

it('tells a daemon that hangs from a market that is quiet', async () => {
  let connection: Connection | undefined;
  daemon.onSubscribe(1, (accepted) => {
    connection = accepted;
    accepted.event(1);
  });
  const run = new Figd(tailing('--count', '2'));
  await run.until(({ stderr }) => stderr.includes('it hangs'));
  connection?.event(2);
  expect(await run.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('heard again') });
});
