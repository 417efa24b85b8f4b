import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'undici';
import { expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { accessTokenPrefix, refreshTokenPrefix } from '../../src/simulator/tokens.ts';
import type { Ended } from '../support/figd.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest, RawConsumer } from './daemon.ts';

const clientId = 'canary-client-id-3f9c1d';
const clientSecret = 'canary/"secret"+with%odd&chars=7b21';
const exchangeSecret = 'canary-exchange-secret-90aa';

const callerSecret = 'canary-of-a-caller-55d0';

/** Everything that must never be seen, in the forms it could take in JSON, a URL or an inspected object. */
const secrets = [clientId, clientSecret, exchangeSecret, callerSecret, accessTokenPrefix, refreshTokenPrefix];
const forbidden = secrets.flatMap((secret) => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').slice(0, 16),
]);

/** Whoever may open the gateway is told what the venue says; nobody else is, nor of what the caller says. */
async function askThroughGateway(daemon: DaemonUnderTest): Promise<void> {
  const client = new Client('http://fig', { socketPath: join(daemon.directory, 'run', 'gateway.sock') });
  const told = await client.request({ method: 'GET', path: '/v1/account/exchange-credentials' });
  expect(told.statusCode).toBe(200);
  await told.body.dump();
  const headers = { authorization: `Bearer ${callerSecret}`, 'x-canary': callerSecret, 'content-type': 'text/plain' };
  const path = `/v1/simulator/echo?key=${callerSecret}`;
  const echoed = await client.request({ method: 'POST', path, headers, body: callerSecret });
  expect(await echoed.body.text()).toBe(callerSecret);
  await client.close();
}

test.concurrent.each(['json', 'oauth2'])(
  'no credential and no token is ever told, at the most verbose level (%s)',
  async (style) => {
    await using simulator = await startSimulator({
      rate: 50,
      clientId,
      clientSecret,
      exchangeSecret,
      tokenLife: 6_000,
    });
    const { restUrl } = simulator;
    const platform = {
      profile: 'platform',
      restUrl,
      tokenUrl: simulator.oauth2TokenUrl,
      socketUrl: simulator.platformSocketUrl,
      sign: true,
    };
    await using daemon = await DaemonUnderTest.start({
      restUrl,
      clientId,
      clientSecret,
      config: {
        venue: style === 'json' ? {} : platform,
        metrics: { listen: '127.0.0.1:0' },
        log: { level: 'trace' },
        gateway: { http: true },
        session: { backoff: { min: '100ms', max: '300ms' } },
      },
    });
    await daemon.reaches('live');
    using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
    const seen: Ended[] = [];
    const run = async (...args: string[]) => seen.push(await daemon.command(...args));

    await run('rest', 'GET', '/v1/account/exchange-credentials');
    await askThroughGateway(daemon);
    await run('status', '--json');
    await run('status');
    await run('check', '--config', daemon.configFile);
    await daemon.statusWhere('a renewal', ({ token }) => token.refreshes > 0);
    // A venue that quotes our own requests back at us, in a frame and in an error.
    for (const { echo } of [{ echo: `bad token ${clientSecret}` }, { echo: `bad client ${clientId}` }]) {
      simulator.venue.inject({ kind: 'rpc-error', method: 'auth', code: -32700, message: echo, times: 1 });
      simulator.venue.inject({ kind: 'drop', reason: echo.slice(0, 100), code: 4000 });
      await daemon.statusWhere('the refusal', ({ session }) => session.lastClose?.code === 'token-refused');
      await run('status', '--json');
      // The machines know the failure that quotes it.
      await run('status', '--debug', '--json');
      await run('status', '--debug');
      daemon.process.child.kill('SIGQUIT');
      await daemon.reaches('live');
    }
    await writeFile(daemon.secretFile, 'another-wrong-secret\n');
    await run('refresh');
    await daemon.statusWhere('the refused secret', ({ token }) => token.lastError !== null);
    await run('status');
    await run('status', '--debug', '--json');
    daemon.process.child.kill('SIGQUIT');
    await daemon.process.until(({ stdout }) => stdout.match(/diagnostic dump/g)?.length === 3);
    await run('rest', 'GET', '/v1/rfq?limit=1');
    const port = await until('the port of the metrics', () => /"port":(\d+)/.exec(daemon.process.stdout)?.[1]);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const log = await daemon.process.stop();

    const told = [
      log.stdout,
      log.stderr,
      metrics,
      ...seen.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      ...consumer.lines.map(({ text }) => text),
    ].join('\n');
    expect(told.length).toBeGreaterThan(10_000);
    expect(forbidden.filter((secret) => told.includes(secret))).toEqual([]);
    expect(log.stdout).toContain('[secret]');
    expect(seen.filter(({ stdout }) => stdout.includes('"machines"'))).toHaveLength(3);
  },
  60_000,
);

test('rest shows what it hides when asked to', async () => {
  await using simulator = await startSimulator({ exchangeSecret });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  const path = '/v1/account/exchange-credentials';
  const hidden = await daemon.command('rest', 'GET', path);
  expect(hidden).toMatchObject({ code: 0, stdout: expect.stringContaining('--reveal') });
  expect(hidden.stdout).not.toContain(exchangeSecret);
  expect((await daemon.command('rest', 'GET', path, '--reveal')).stdout).toContain(exchangeSecret);
});

test('a secret on the command line is refused, and not repeated', async () => {
  await using daemon = await DaemonUnderTest.start({ restUrl: 'http://127.0.0.1:1' });
  const { code, stdout, stderr } = await daemon.command('run', '--credentials.client-secret', clientSecret);
  expect(code).toBe(78);
  expect(stderr).toContain('credentials.clientSecret');
  expect(stdout + stderr).not.toContain(clientSecret);
});
