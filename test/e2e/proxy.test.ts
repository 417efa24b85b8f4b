import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { certificate } from '../adapters/support/certificate.ts';
import { testProxy, tlsInFrontOf } from '../adapters/support/proxy.ts';
import { figd } from '../support/figd.ts';
import { DaemonUnderTest, RawConsumer, workspace } from './daemon.ts';

/** For a host that has much else to do. */
const timeout = 60_000;
const day = 86_400_000;
const span = { validFrom: Date.now() - day, validTo: Date.now() + day };

/** A network that has no way out but a proxy, which looks into TLS with an authority of its own. */
async function network() {
  const authority = certificate({ name: 'the authority of a network', isAuthority: true, ...span });
  const simulator = await startSimulator({ rate: 50 });
  onTestFinished(() => simulator.close());
  const named = certificate({ name: 'venue.test', issuer: authority, ...span });
  const front = await tlsInFrontOf(named, Number(new URL(simulator.restUrl).port));
  onTestFinished(() => front[Symbol.asyncDispose]());
  const proxy = await testProxy({ 'venue.test:443': front.port });
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const place = await workspace();
  onTestFinished(() => place[Symbol.asyncDispose]());
  const caFile = join(place.path, 'authority.pem');
  await writeFile(caFile, `the authority of this network\n${authority.cert}`);
  const settings = { proxy: proxy.url.origin, caFile };
  return { simulator, proxy, place: place.path, settings };
}

test('figd reaches the venue through a proxy that looks into TLS, and says so where that fails', {
  timeout,
}, async () => {
  const { simulator, proxy, settings } = await network();
  await using daemon = await DaemonUnderTest.start({ restUrl: 'https://venue.test', config: { network: settings } });
  await daemon.reaches('live');
  using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
  await expect.poll(() => consumer.events().length, { timeout: 10_000 }).toBeGreaterThan(20);
  const { code, stdout } = await daemon.command('rest', 'GET', '/v1/rfq?limit=1');
  expect([code, JSON.parse(stdout)]).toEqual([0, expect.anything()]);
  expect(new Set(proxy.asked)).toEqual(new Set(['venue.test:443']));

  const check = await figd(['check', '--config', daemon.configFile]);
  expect([check.code, check.stderr]).toEqual([0, '']);
  const host = proxy.url.host;
  expect(check.stdout).toContain(`by way of ${host}, which looks up the hosts of the venue`);
  expect(check.stdout).toMatch(/^ok {7}tls {14}venue\.test valid to /m);

  proxy.answer = 407;
  simulator.venue.inject({ kind: 'drop' });
  const said = `proxy ${host}: no connection to venue.test:443: HTTP 407, it wants a user name and a password`;
  await daemon.statusWhere('the reason', ({ reason }) => reason.includes(said));
  const failed = await figd(['check', '--config', daemon.configFile]);
  expect([failed.code, failed.stdout.split('\n').slice(5, 7)]).toEqual([
    1,
    [
      `FAILED   tls              TLS with venue.test: ${said}`,
      `${' '.repeat(26)}The proxy makes no connection to the venue: check network.proxy, and have the venue's hosts allowed there.`,
    ],
  ]);
  proxy.answer = undefined;
  await daemon.command('reconnect');
  await daemon.reaches('live');
});

test('a file of authorities that is none is a wrong configuration', { timeout }, async () => {
  const { place, settings } = await network();
  const broken = join(place, 'broken.pem');
  await writeFile(broken, '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
  for (const [caFile, problem] of [
    [join(place, 'none.pem'), 'network.caFile: cannot be read: ENOENT'],
    [broken, 'network.caFile: cannot be used: certificate 1 of 1 in it is damaged'],
    [join(import.meta.dirname, 'daemon.ts'), 'network.caFile: holds no certificate in PEM form'],
  ]) {
    const { code, stderr } = await figd(
      ['run', '--network.ca-file', String(caFile), '--network.proxy', settings.proxy],
      '',
      {
        FIGD_CREDENTIALS__CLIENT_ID: 'demo',
        FIGD_CREDENTIALS__CLIENT_SECRET: 'demo-secret',
      },
    );
    expect([code, stderr]).toEqual([78, expect.stringContaining(String(problem))]);
  }
});
