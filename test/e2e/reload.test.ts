import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { LocalClient } from '../../src/adapters/local-client.ts';
import { channels as all, type Channel } from '../../src/simulator/frames.ts';
import type { Activity, EventRecord } from '../../src/simulator/ports.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest, frameOf, type Line, RawConsumer } from './daemon.ts';
import { accountFor, Witness } from './support/witness.ts';

const second = 1_000;

/** Sees what the venue publishes, and when it subscribes and unsubscribes whom. */
class ChannelWitness extends Witness {
  /** Channel by channel: how many events had been published when it was subscribed, or was not any more. */
  readonly turns: { readonly channel: string; readonly isOn: boolean; readonly published: number }[] = [];

  readonly taps = {
    ...this.options,
    onActivity: (activity: Activity) => {
      this.options.onActivity(activity);
      if (activity.event !== 'subscribed' && activity.event !== 'unsubscribed') return;
      for (const channel of activity.channels) {
        this.turns.push({ channel, isOn: activity.event === 'subscribed', published: this.published.length });
      }
    },
  };

  /** What the venue has sent: an event on a channel while that was subscribed. */
  sent(): readonly EventRecord[] {
    return this.published.filter(({ channel }, index) => {
      const last = this.turns.findLast((turn) => turn.channel === channel && turn.published <= index);
      return last?.isOn === true;
    });
  }
}

type Yaml = Record<string, Record<string, unknown>>;

/** Changes the daemon's configuration file. */
async function edit({ configFile }: DaemonUnderTest, change: (yaml: Yaml) => void): Promise<void> {
  const yaml = parse(await readFile(configFile, 'utf8')) as Yaml;
  change(yaml);
  await writeFile(configFile, stringify(yaml));
}

const wish = (daemon: DaemonUnderTest, ...channels: readonly Channel[]) =>
  edit(daemon, (yaml) => {
    yaml['session'] = { ...yaml['session'], channels };
  });

const isNews = ({ params }: Line): boolean => !params.channel.startsWith('figd.');
/** These are confirmed, and what is not wanted any more has been given up: that takes an answer of its own. */
const confirmed = (daemon: DaemonUnderTest, ...wanted: readonly string[]) =>
  daemon.statusWhere(`the channels ${wanted.join()}`, ({ channels, session }) => {
    const held = channels.flatMap(({ name, state }) => (state === 'confirmed' ? [name] : []));
    const isSettled = channels.every(({ state }) => state !== 'pending');
    return session.state === 'live' && isSettled && held.sort().join() === [...wanted].sort().join();
  });

test('channels come and go at 500 events/s: no gap, nothing lost, nothing doubled, on one session', async ({
  annotate,
}) => {
  const witness = new ChannelWitness();
  await using simulator = await startSimulator({ rate: 500, ...witness.taps });
  const three: readonly Channel[] = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker'];
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { session: { channels: three } },
  });
  await daemon.reaches('live');
  using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
  const heard = async (channel: Channel) => {
    const before = consumer.lines.length;
    const isOf = ({ params }: Line) => params?.channel === channel;
    await until(`an event on ${channel}`, () => consumer.lines.slice(before).some(isOf));
  };

  await wish(daemon, ...all);
  expect(await daemon.command('reload')).toEqual({ code: 0, stdout: 'applied session.channels\n', stderr: '' });
  await confirmed(daemon, ...all);
  await heard('rfq_quote.taker');

  await wish(daemon, 'rfq.taker', 'rfq_quote.taker');
  daemon.process.child.kill('SIGHUP');
  const status = await confirmed(daemon, 'rfq.taker', 'rfq_quote.taker');
  expect(status.channels.map(({ name, state }) => [name, state]).sort()).toEqual([
    ['rfq.maker', 'unsubscribed'],
    ['rfq.taker', 'confirmed'],
    ['rfq_quote.maker', 'unsubscribed'],
    ['rfq_quote.taker', 'confirmed'],
  ]);
  await heard('rfq.taker');

  await wish(daemon, ...all);
  await daemon.command('reload');
  await confirmed(daemon, ...all);
  for (const channel of all) await heard(channel);

  simulator.venue.stop();
  const last = witness.published.at(-1);
  await until('the last event', () => {
    const line = consumer.events().findLast(isNews);
    return line !== undefined && frameOf(line) === last?.frame;
  });
  const sent = witness.sent();
  const { missing, surplus } = accountFor(sent, consumer.events(), { isExcused: () => false });
  await annotate(`${sent.length} events sent of ${witness.published.length} published`);
  expect([missing.length, missing[0]]).toEqual([0, undefined]);
  expect([surplus.length, surplus[0]?.text]).toEqual([0, undefined]);
  expect(await daemon.status()).toMatchObject({ session: { id: 1 }, gaps: { total: 0 }, state: 'live' });
  const seqs = consumer.events().map(({ params }) => params.seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
});

test('what a reload applies, what it leaves to a restart, and that it says so', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  const { refreshes } = (await daemon.status()).token;
  expect(await daemon.command('reload')).toMatchObject({ code: 0, stdout: 'nothing has changed\n' });

  expect(daemon.process.stdout).not.toContain('"level":"debug"');
  await edit(daemon, (yaml) => {
    yaml['log'] = { level: 'debug' };
    yaml['session'] = { heartbeatInterval: '1s' };
    yaml['reconcile'] = { lookback: '1h' };
  });
  expect(await daemon.command('reload')).toEqual({
    code: 0,
    stdout: 'applied session.heartbeatInterval, log.level; reconcile.lookback waits for a restart\n',
    stderr: '',
  });
  // The pace of the heartbeats, and that they can be seen at all.
  const heartbeats = () => daemon.process.stdout.match(/"msg":"heartbeat"/g)?.length ?? 0;
  await until('heartbeats every second', () => heartbeats() >= 3, 5 * second);
  expect(daemon.process.stdout).toMatch(/"needsRestart":\["reconcile.lookback"\].*configuration reloaded/);

  await edit(daemon, (yaml) => {
    yaml['log'] = { level: 'info' };
    yaml['reconcile'] = {};
  });
  daemon.process.child.kill('SIGHUP');
  await until(
    'the end of it',
    () => heartbeats() > 0 && /"applied":\["log.level"\],"needsRestart":\[\]/.test(daemon.process.stdout),
  );
  const status = await daemon.status();
  expect(status).toMatchObject({ session: { id: 1 }, gaps: { total: 0 } });
  // Nobody asked for a token: the credentials are the same.
  expect([status.token.refreshes, simulator.venue.stats.tokenRequests.json.issued]).toEqual([refreshes, 1]);
});

test('a file that cannot be used changes nothing, and each problem is told with its key: by figd reload and in the log', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  await edit(daemon, (yaml) => {
    yaml['session'] = { channels: ['rfq.maker'], heartbeatInterval: '40s' };
    yaml['log'] = { level: 'loud' };
    yaml['colour'] = {};
  });
  const { code, stdout, stderr } = await daemon.command('reload');
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^figd: nothing has changed: the configuration cannot be used:\n/);
  for (const key of ['session.heartbeatInterval: 40s is more than 29s', 'log.level: ', 'colour: unknown key']) {
    expect(stderr).toContain(`\n  ${key}`);
  }
  await writeFile(daemon.configFile, 'session: { channels: [rfq.maker');
  daemon.process.child.kill('SIGHUP');
  await until('the log', () => daemon.process.stdout.match(/the configuration cannot be used/g)?.length === 2);
  expect(daemon.process.stdout).toContain('"key":"session.heartbeatInterval"');
  expect((await daemon.status()).channels.map(({ state }) => state)).toEqual(all.map(() => 'confirmed'));
  expect(simulator.venue.stats.unsubscribes).toBe(0);
});

test('SIGHUP while figd starts is not lost: what was written after it had read its configuration is in force', async () => {
  // The file is another one as soon as figd has read it, and somebody has it reloaded, long before anything is up.
  const meddle = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { readFileSync } = fs;
    fs.readFileSync = (path, ...rest) => {
      const text = readFileSync(path, ...rest);
      if (!String(path).endsWith('figd.yaml')) return text;
      fs.readFileSync = readFileSync;
      syncBuiltinESMExports();
      fs.writeFileSync(path, text.replace('rfq.taker', 'rfq_quote.taker'));
      process.kill(process.pid, 'SIGHUP');
      return text;
    };
    syncBuiltinESMExports();
  `;
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { session: { channels: ['rfq.taker'] } },
    nodeArguments: ['--import', `data:text/javascript,${encodeURIComponent(meddle)}`],
  });
  await confirmed(daemon, 'rfq_quote.taker');
  expect(daemon.process.stdout).toContain('configuration reloaded: applied session.channels');
});

test('a hundred reloads while sessions come and go end in what was written last', async () => {
  await using simulator = await startSimulator({ rate: 200 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  const client = await LocalClient.connect(daemon.controlSocket);
  for (let round = 0; round < 10; round += 1) {
    const channel = all[round % all.length] ?? 'rfq.maker';
    await wish(daemon, channel);
    for (let count = 0; count < 10; count += 1) daemon.process.child.kill('SIGHUP');
    // Twice at once on the socket as well, and now and then while one session takes over from another.
    if (round % 3 === 0) await client.request('rotate');
    await Promise.all([client.request('reload'), client.request('reload')]);
  }
  client.close();
  await wish(daemon, 'rfq.maker', 'rfq_quote.taker');
  simulator.venue.inject({ kind: 'drop' });
  daemon.process.child.kill('SIGHUP');
  await confirmed(daemon, 'rfq.maker', 'rfq_quote.taker');
  const held = () => simulator.venue.stats.openConnections.map(({ channels }) => [...channels].sort());
  await until('the venue to have the same', () => held().join('; ') === 'rfq.maker,rfq_quote.taker');
});
