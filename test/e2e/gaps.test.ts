import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { openLedger } from '../../src/adapters/sqlite-ledger.ts';
import type { OutageDocument } from '../../src/commands/terminal/outages-view.ts';
import type { EventRecord } from '../../src/simulator/ports.ts';
import { Figd } from '../support/figd.ts';
import { Turns } from '../support/turns.ts';
import { until } from '../support/until.ts';
import { type DaemonSetup, DaemonUnderTest, RawConsumer, workspace } from './daemon.ts';
import { GapStage } from './support/gap-stage.ts';
import { accountFor } from './support/witness.ts';

/** As in the tests of faults. */
const quick = {
  session: { heartbeatInterval: '1s', heartbeatTimeout: '1s', backoff: { min: '500ms', max: '2s' } },
};
/** What two processes on one host may differ in about a moment, with events every 5 ms. */
const slackMs = 100;
/** How far behind the latest event the note of a daemon may be that was killed. */
const notedWithinMs = 1_100;
const second = 1_000;
const day = 86_400_000;

/** What is measured is told by clocks, and two cores are soon busy. */
const turns = new Turns();

interface Case {
  readonly name: string;
  readonly setup?: Omit<DaemonSetup, 'restUrl'>;
  readonly strike: (stage: GapStage) => Promise<void> | void;
  readonly cause: string;
  /** What figd.state says; null where nobody is left to say it. */
  readonly reason: RegExp | null;
  /** The moment, as the venue saw it, from which on events were lost. */
  readonly lostFrom: (stage: GapStage) => number;
  /** How much earlier the gap may begin. */
  readonly earlierByMs?: number;
  /** Events per second, where they are not 200. */
  readonly rate?: number;
  /** Whether it mostly waits, and may do so beside the others. */
  readonly isLong?: boolean;
  /** How long an event may have been on its way, where the process was away. */
  readonly lateMs?: number;
}

/** Nothing was sent after it; what was sent before has all arrived, for both are on one host. */
const lastEventSent = ({ witness, lost }: GapStage) => witness.lastSentAt(lost.connection);

const cases: readonly Case[] = [
  {
    name: 'a venue that is down for 2 s',
    setup: { config: quick },
    strike: ({ simulator }) => void simulator.venue.inject({ kind: 'down', forMs: 2 * second }),
    cause: 'connection-lost',
    reason: /^session: the connection broke/,
    lostFrom: lastEventSent,
  },
  {
    name: 'a half-open connection',
    setup: { config: quick },
    strike: ({ simulator }) => void simulator.venue.inject({ kind: 'half-open', forMs: second }),
    cause: 'half-open',
    reason: /^session: no heartbeat reply within 1000 ms/,
    lostFrom: lastEventSent,
  },
  {
    name: 'a daemon that stands still for 40 s',
    // 30 s of events have to fit into the buffer of a socket: where a window closes, loopback was seen to take another
    // 30 s to notice that it is open again, and a session of which nothing is heard so long is half-open.
    rate: 4,
    isLong: true,
    strike: async ({ daemon }) => {
      daemon.process.child.kill('SIGSTOP');
      const stoppedAt = performance.now();
      await until('40 s', () => performance.now() - stoppedAt >= 40 * second, 45 * second);
      daemon.process.child.kill('SIGCONT');
    },
    cause: 'heartbeat-overdue',
    reason: /^session: .*4408/,
    // What the venue sent until then waits in the kernel and is read when the daemon goes on.
    lostFrom: ({ lost: { closedAt } }) => closedAt ?? Number.NaN,
    lateMs: 45 * second,
  },
  {
    name: 'a daemon that is stopped and started again',
    strike: async (stage) => {
      await stage.daemon.process.stop();
      stage.daemon.launch();
      await stage.daemon.reaches('live');
      await stage.listen();
    },
    cause: 'daemon-stopped',
    reason: /^(session: figd is stopping|starting|token: )/,
    // The venue sends until it reads the close frame, and the daemon reads until it has the answer.
    lostFrom: lastEventSent,
  },
  {
    name: 'a daemon that is killed and started again',
    strike: async (stage) => {
      stage.daemon.process.child.kill('SIGKILL');
      await stage.daemon.process.ended;
      stage.daemon.launch();
      await stage.daemon.reaches('live');
      await stage.listen();
    },
    cause: 'daemon-died',
    reason: null,
    // What was on its way to the process died with it: the venue learns that it is gone by the connection.
    lostFrom: ({ lost: { closedAt } }) => closedAt ?? Number.NaN,
    earlierByMs: notedWithinMs,
  },
];

test.concurrent.for(cases)(
  '$name is a gap in the ledger, as long as the venue was not heard, and nothing is lost outside of it',
  { timeout: 180_000 },
  async (
    { setup = {}, rate, strike, cause, reason, lostFrom, earlierByMs = 0, isLong = false, lateMs },
    { annotate, expect },
  ) => {
    using _turn = isLong ? null : await turns.take();
    await using stage = await GapStage.open(setup, rate);
    await strike(stage);
    const gap = await stage.healed(30 * second);

    const began = lostFrom(stage);
    const ended = stage.subscribedAt;
    const off = offBy(gap, began, ended);
    await annotate(JSON.stringify(off));
    expect(gap).toMatchObject({ cause, reconciled: true });
    // When the latest frame left is known to a round trip, and a gap begins rather too early than too late.
    expect(off.since).toBeGreaterThan(-slackMs - earlierByMs - stage.rttMs);
    expect(off.since).toBeLessThan(slackMs);
    expect(Math.abs(off.until)).toBeLessThan(slackMs);
    expect(Math.abs(off.blindMs + off.since)).toBeLessThan(slackMs);
    stage.expectGapEventsLike(gap);
    stage.expectNothingLostOutside({ since: gap.since, until: gap.until ?? 0 }, slackMs, lateMs);
    stage.expectBookInStep();
    expect(stage.rfqsChangedUnheard()).toBeGreaterThan(0);
    stage.expectStates(reason);
  },
);

/** The daemon's wall clock is set by so much, before anything goes wrong. */
test.concurrent.for([90, -90])(
  'a clock that is set by %d s before a connection is lost: the gap is told by the new time, and as long as it was',
  { timeout: 180_000 },
  async (seconds, { annotate, expect }) => {
    using _turn = await turns.take();
    const stepMs = seconds * second;
    await using place = await workspace();
    const clockFile = join(place.path, 'shift');
    await writeFile(clockFile, String(stepMs));
    await using stage = await GapStage.open(withClock(clockFile));
    const { daemon, simulator, witness } = stage;
    daemon.process.child.kill('SIGUSR2');
    await daemon.statusWhere('the step noticed', ({ counters }) => counters['clockSteps'] === 1);
    simulator.venue.inject({ kind: 'drop' });
    const gap = await stage.healed(30 * second);

    // The venue's moments are true ones; the gap is told by the clock that was set.
    const off = offBy(gap, witness.lastSentAt(stage.lost.connection), stage.subscribedAt, stepMs);
    await annotate(JSON.stringify(off));
    expect(gap).toMatchObject({ cause: 'connection-lost', reconciled: true });
    expect(Math.abs(off.since)).toBeLessThan(slackMs + stage.rttMs);
    expect(Math.abs(off.until)).toBeLessThan(slackMs);
    expect(Math.abs(off.blindMs + off.since)).toBeLessThan(slackMs);
    stage.expectGapEventsLike(gap);
    stage.expectNothingLostOutside({ since: gap.since - stepMs, until: (gap.until ?? 0) - stepMs }, slackMs);
    stage.expectBookInStep();
    stage.expectStates(/^session: the connection broke/);
  },
);

test.concurrent('a clock that is set while figd is blind bends neither the length of the gap nor what is fetched', async ({
  expect,
}) => {
  using _turn = await turns.take();
  await using place = await workspace();
  const clockFile = join(place.path, 'shift');
  await writeFile(clockFile, String(90 * second));
  await using stage = await GapStage.open(withClock(clockFile));
  const { daemon, simulator, witness } = stage;
  simulator.venue.inject({ kind: 'down', forMs: 2 * second });
  await daemon.reaches('down');
  daemon.process.child.kill('SIGUSR2');
  const gap = await stage.healed(30 * second);

  const began = witness.lastSentAt(stage.lost.connection);
  const off = offBy({ ...gap, since: gap.since + 90 * second }, began, stage.subscribedAt, 90 * second);
  expect(Math.abs(off.since)).toBeLessThan(slackMs + stage.rttMs);
  expect(Math.abs(off.until)).toBeLessThan(slackMs);
  expect(Math.abs(off.blindMs + off.since)).toBeLessThan(slackMs);
  stage.expectNothingLostOutside({ since: gap.since, until: (gap.until ?? 0) - 90 * second }, slackMs);
  stage.expectBookInStep();
}, 180_000);

test.concurrent('a venue whose process is killed and started again is a gap from the kill to the new subscription', async ({
  annotate,
  expect,
}) => {
  using _turn = await turns.take();
  await using place = await workspace();
  const simulate = (port: number, seed: number, sentLog: string) =>
    new Figd(['simulate', '--port', String(port), '--rate', '200', '--seed', String(seed), '--sent-log', sentLog]);
  const logs = [join(place.path, 'first.ndjson'), join(place.path, 'second.ndjson')] as const;
  const first = simulate(0, 1, logs[0]);
  const port = Number(await until('the port of simulate', () => /"port":(\d+)/.exec(first.stdout)?.[1]));
  await using daemon = await DaemonUnderTest.start({ restUrl: `http://127.0.0.1:${port}`, config: quick });
  await daemon.reaches('live');
  using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
  const { session } = await daemon.statusWhere(
    'a heartbeat and 200 events',
    ({ session: { heartbeat }, journal: { head } }) => heartbeat.rttMs !== null && head >= 200,
  );

  first.child.kill('SIGKILL');
  const killedAt = Date.now();
  await first.ended;
  await daemon.reaches('down');
  // Another market: the RFQs of the first venue died with it.
  const next = simulate(port, 2, logs[1]);
  await daemon.statusWhere('live, and no gap open', ({ state, gaps }) => state === 'live' && gaps.open === 0, 30_000);
  await next.stop();
  await until('the end of the session', () =>
    consumer
      .events()
      .findLast(({ params }) =>
        params.channel === 'figd.state' && (params.message as { state: string }).state === 'down' ? true : undefined,
      ),
  );

  const { stdout } = await daemon.command('outages', '--json');
  const { gaps } = JSON.parse(stdout) as OutageDocument;
  const [gap] = gaps;
  if (gap === undefined) throw new Error('the ledger is empty');
  const subscribedAt = Number(/\{"at":(\d+),"event":"subscribed"/.exec(next.stdout)?.[1]);
  // It was killed between two events, and nothing of what it had sent is lost on one host.
  const off = offBy(gap, killedAt, subscribedAt);
  await annotate(JSON.stringify(off));
  expect(gap).toMatchObject({ cause: 'connection-lost', reconciled: true });
  expect(Math.abs(off.since)).toBeLessThan(slackMs + (session.heartbeat.rttMs ?? 0));
  expect(Math.abs(off.until)).toBeLessThan(slackMs);
  expect(Math.abs(off.blindMs + off.since)).toBeLessThan(slackMs);
  const sent = (await Promise.all(logs.map(sentEvents))).flat();
  // The second venue has a last moment as well, in which it sends what nobody gets any more.
  const isExcused = ({ at }: EventRecord) =>
    gaps.some(({ since, until: end }) => at >= since - slackMs && at <= (end ?? at) + slackMs);
  const { missing, surplus } = accountFor(sent, consumer.events(), { isExcused });
  expect(missing.filter((event) => !isExcused(event))).toEqual([]);
  // What the log of a killed process lacks is its end.
  expect(surplus.filter(({ arrivedAt }) => arrivedAt < killedAt - second || arrivedAt > killedAt + second)).toEqual([]);
}, 180_000);

test.concurrent('figd outages: a line for each day, which a gap keeps from 100 %', async ({ expect }) => {
  using _turn = await turns.take();
  await using stage = await GapStage.open({
    config: quick,
    // As if the daemon had been kept for three days, with one gap long before them.
    prepareState: (directory) => {
      const ledger = openLedger(directory, {
        now: () => Date.now() - 3 * day,
        retainFor: 30 * day,
        onTrouble: () => undefined,
      });
      const [since, until] = [Date.now() - 8 * day, Date.now() - 8 * day + second];
      const facts = { cause: 'half-open', channels: [], clockOffsetMs: null, reconciled: true };
      ledger.save({ id: 1, since, until, blindMs: second, ...facts });
      ledger.close();
    },
  });
  stage.simulator.venue.inject({ kind: 'drop' });
  await stage.healed(30 * second);
  const { code, stdout } = await stage.daemon.command('outages', '--since', '7d');
  expect(code).toBe(0);
  const table = String.raw`id  began +cause +blind +channels +reconciled\n 2  \S+ \S+  connection-lost  \S+ m?s  all +yes\n\n`;
  const days = String.raw`(\d{4}-\d\d-\d\d  live 100 %, no gaps\n){2,3}(\d{4}-\d\d-\d\d  live 99\.99 %, 1 gap, \S+ m?s blind\n)`;
  expect(stdout).toMatch(new RegExp(`^${table}${days}live 99\\.99 %, 1 gap, \\S+ m?s blind in the 3d`));
}, 180_000);

/** A daemon whose wall clock goes by a file, from SIGUSR2 on. */
function withClock(file: string): Omit<DaemonSetup, 'restUrl'> {
  const preload = fileURLToPath(new URL('support/stepped-clock.mjs', import.meta.url));
  return { config: quick, env: { STEPPED_CLOCK_FILE: file }, nodeArguments: ['--import', preload] };
}

/** What a venue of its own process says it has sent. */
async function sentEvents(path: string): Promise<readonly EventRecord[]> {
  const complete = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return complete.map((line) => {
    const { sentAt, channel, frame } = JSON.parse(line) as { sentAt: number; channel: string; frame: string };
    return { at: sentAt, channel, frame, listeners: 1 };
  });
}

/** How far a gap is off what the venue saw, in milliseconds; `step` is what the clock of the daemon was set forward by. */
function offBy(
  { since, until: end, blindMs }: { since: number; until: number | null; blindMs: number | null },
  began: number,
  ended: number,
  step = 0,
) {
  return { since: since - step - began, until: (end ?? 0) - step - ended, blindMs: (blindMs ?? 0) - (ended - began) };
}
