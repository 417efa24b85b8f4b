import { rename, writeFile } from 'node:fs/promises';
import { test } from 'vitest';
import type { Activity } from '../../src/simulator/ports.ts';
import { type Simulator, startSimulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest } from './daemon.ts';
import { Rival } from './support/rival.ts';

const second = 1_000;
/** The closest that two token requests of figd come. */
const spacingMs = 5 * second;

test.concurrent('a key that another program uses too: figd says so, dials no more than ten times a minute, and is live once that program has stopped', {
  timeout: 60_000,
}, async ({ expect }) => {
  const dials: number[] = [];
  const onActivity = (activity: Activity) => {
    if (activity.event === 'connected' && activity.path !== Rival.path) dials.push(performance.now());
  };
  await using simulator = await startSimulator({ maxSessions: 1, sessionCeiling: 'replace', rate: 50, onActivity });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  using rival = new Rival(simulator);
  const contested = await daemon.statusWhere('contested', ({ session }) => session.state === 'contested', 30 * second);

  expect(contested).toMatchObject({
    state: 'down',
    reason: expect.stringMatching(
      /^session: the venue ended 4 sessions in a row .* another program seems to use this key .*4000, "replaced"/,
    ),
    next: expect.stringContaining('another program uses the same key'),
    session: { lastClose: { code: 'contested', class: 'limited' } },
  });
  const told = await daemon.command('status');
  expect(told).toMatchObject({ code: 2, stdout: expect.stringContaining('another program seems to use this key') });
  // So much later at the earliest, so that the other program has its peace.
  expect(contested.session.nextAttemptAt).toBeGreaterThan(Date.now() + 30 * second);
  expect(dials.length).toBeLessThanOrEqual(10);

  rival.stop();
  expect(await daemon.command('reconnect')).toMatchObject({ code: 0 });
  await daemon.reaches('live', 5 * second);
  expect(dials).toHaveLength(5);
});

/** Waits until figd may ask for a token again: sooner it could not, whatever it learns. */
function mayAskAgain({ venue }: Simulator): Promise<true> {
  const askedAt = venue.stats.tokenRequestTimes.at(-1) ?? 0;
  return until('the time of the next token request', () => Date.now() - askedAt >= spacingMs, 10 * second);
}

test.concurrent('refused credentials: live within 3 s of a new secret in the file, without anybody’s help', async ({
  expect,
}) => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, clientSecret: 'wrong-secret' });
  await daemon.reaches('blocked');
  await mayAskAgain(simulator);
  // As deployment tools do it: the file is another one.
  await writeFile(`${daemon.secretFile}.new`, 'demo-secret\n', { mode: 0o600 });
  await rename(`${daemon.secretFile}.new`, daemon.secretFile);
  expect(await daemon.reaches('live', 3 * second)).toMatchObject({ state: 'live' });
});

test.concurrent('refused credentials that are put right at the venue: live within 3 s of a SIGHUP', async ({
  expect,
}) => {
  await using simulator = await startSimulator({ rate: 50 });
  const accept = simulator.venue.inject({ kind: 'refuse-credentials' });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  const { token } = await daemon.reaches('blocked');
  accept();
  await mayAskAgain(simulator);
  // The files are the same: without the signal nothing would tell figd before its next probe.
  expect((await daemon.status()).token.refreshAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(Date.now() + 5 * second);
  expect(token.lastError).toMatchObject({ code: 'credentials-refused' });
  daemon.process.child.kill('SIGHUP');
  await daemon.reaches('live', 3 * second);
});

test.concurrent('another secret in the file: tried on SIGHUP though the session lives, and the next one without anybody’s help', async ({
  expect,
}) => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  await mayAskAgain(simulator);
  await writeFile(daemon.secretFile, 'a-secret-the-venue-does-not-know\n');
  daemon.process.child.kill('SIGHUP');
  const status = await daemon.statusWhere('the new secret refused', ({ token }) => token.lastError !== null);
  // The session lives on its old token meanwhile.
  expect(status).toMatchObject({ state: 'degraded', session: { id: 1, state: 'live' } });
  await mayAskAgain(simulator);
  // The token that the session lives on is not replaced yet: nobody has missed anything.
  await writeFile(daemon.secretFile, 'demo-secret\n');
  await daemon.statusWhere(
    'live, with the secret accepted',
    ({ state, token, gaps }) => state === 'live' && token.lastError === null && gaps.total === 0,
    3 * second,
  );
});
