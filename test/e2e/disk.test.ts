import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Figd } from '../support/figd.ts';
import { until } from '../support/until.ts';
import { RestartStage } from './support/restart-stage.ts';
import { ReturningConsumer, Told } from './support/returning-consumer.ts';

const isRoot = process.getuid?.() === 0;
const hasPrlimit = canRun('prlimit', '--version');
const endingThread = fileURLToPath(new URL('support/ending-thread.mjs', import.meta.url));
const mebibyte = 1_048_576;
/** For a host that has much else to do. */
const deadlineMs = 60_000;

function canRun(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Says loudly why a test does not run here, so that nobody takes it for one that has passed. */
function runOrSkip(isPossible: boolean, why: string) {
  if (isPossible) return it.concurrent;
  process.stderr.write(`SKIPPED in disk.test.ts: ${why}\n`);
  return it.skip;
}

/** Serving goes on while something is wrong with the disk, and the status says what. */
async function isDegraded(stage: RestartStage, trouble: RegExp): Promise<void> {
  const { journal, reason } = await stage.daemon.statusWhere(
    `degraded: ${trouble}`,
    ({ state, journal }) => state === 'degraded' && trouble.test(journal.trouble ?? ''),
  );
  expect(reason).toBe(`journal: ${journal.trouble}`);
  const { next } = stage.whole;
  await until('more events', () => stage.whole.next > next + 100);
}

async function isWell(stage: RestartStage): Promise<void> {
  await stage.daemon.statusWhere(
    'live, and everything written',
    ({ state, journal: { trouble, written, head } }) =>
      state === 'live' && trouble === null && (written ?? 0) > head - 100,
    20_000,
  );
}

/** A consumer that asks for everything there is gets all of it, without a hole. */
async function hasAllFrom(stage: RestartStage, first: number): Promise<void> {
  const told = new Told();
  using late = new ReturningConsumer({ path: stage.daemon.eventsSocket, told });
  const { journal } = await stage.daemon.status();
  await until('the late one to have everything', () => late.next > journal.head);
  expect([told.faults, late.lost, late.seqs.get(journal.epoch)?.[0]]).toEqual([[], [], first]);
}

runOrSkip(hasPrlimit, 'there is no prlimit')(
  'serves on when the disk is full, and writes everything once it is not',
  { timeout: deadlineMs },
  async () => {
    await using stage = await RestartStage.open({ config: { metrics: { listen: '127.0.0.1:0' } } });
    await stage.hears(100);
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(stage.daemon.process.child.pid), `--fsize=${bytes}:`]);
    const okOf = async () => {
      const port = /"port":(\d+)/.exec(stage.daemon.process.stdout)?.[1];
      return /^figd_journal_ok (\d)$/m.exec(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())?.[1];
    };
    expect(await okOf()).toBe('1');
    limit('65536');
    await isDegraded(stage, /journal\.db cannot be used: disk I\/O error|full/);
    expect(await okOf()).toBe('0');
    await until('a second attempt to be refused', async () => {
      const { journal } = await stage.daemon.status();
      return journal.head - (journal.written ?? 0) > 900;
    });
    limit('unlimited');
    await isWell(stage);
    expect(await okOf()).toBe('1');
    const said = stage.daemon.process.stdout.split('\n').filter((line) => line.includes('kept on disk'));
    expect(said.map((line) => /not everything|again/.exec(line)?.[0])).toEqual(['not everything', 'again']);
    await hasAllFrom(stage, 1);
    await stage.kill();
    stage.launch();
    await stage.settle();
    await stage.check();
  },
);

it.concurrent('serves on where its files cannot be made, and keeps everything from when they can', {
  timeout: deadlineMs,
}, async () => {
  await using stage = await RestartStage.open({
    prepareState: (directory) => {
      for (const name of ['sequence.new', 'journal.db']) mkdirSync(join(directory, name), { recursive: true });
    },
  });
  await stage.hears(10);
  await isDegraded(stage, /sequence cannot be written/);
  rmSync(join(stage.stateDirectory, 'sequence.new'), { recursive: true });
  await isDegraded(stage, /journal\.db cannot be used/);
  rmSync(join(stage.stateDirectory, 'journal.db'), { recursive: true });
  await isWell(stage);
  const { epoch } = stage.whole;
  await stage.stop();
  stage.launch();
  await stage.hears(100);
  expect([stage.whole.epoch, stage.whole.lost, stage.whole.unresumed]).toEqual([epoch, [], []]);
});

runOrSkip(!isRoot, 'root may write whatever the mode says')(
  'serves on where it may not write',
  { timeout: deadlineMs },
  async () => {
    await using stage = await RestartStage.open({
      prepareState: (directory) => mkdirSync(directory, { mode: 0o500 }),
    });
    await stage.hears(10);
    await isDegraded(stage, /cannot be (written|used)/);
    chmodSync(stage.stateDirectory, 0o700);
    await isWell(stage);
  },
);

it.concurrent('sets a journal aside whose bytes were overwritten while it runs, and tells what is lost', {
  timeout: deadlineMs,
}, async () => {
  await using stage = await RestartStage.open();
  await stage.hears(100);
  for (let burst = 0; burst < 15; burst += 1) {
    const { next } = stage.whole;
    stage.simulator.venue.burst(1_000);
    await until('the burst', () => stage.whole.next >= next + 1_000);
  }
  await isWell(stage);
  const path = join(stage.stateDirectory, 'journal.db');
  expect(statSync(path).size).toBeGreaterThan(6 * mebibyte);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(2 * mebibyte, 'garbage'), 0, 2 * mebibyte, mebibyte);
  closeSync(file);
  stage.slow.hurry();
  await until('the slow one to have come to the head', () => stage.slow.next >= stage.whole.next - 100, 15_000);
  expect(stage.slow.lost.length).toBeGreaterThan(0);
  expect(readdirSync(stage.stateDirectory)).toContainEqual(expect.stringMatching(/^journal\.db\.corrupt-\d+$/));
  expect(stage.daemon.process.stdout).toMatch(/journal\.db is damaged/);
  await isWell(stage);
  await stage.settle();
  await stage.check();
  expect(stage.whole.lost).toEqual([]);
});

it.concurrent('makes its directory again when somebody removes it, and goes on with its numbers after a restart', {
  timeout: deadlineMs,
}, async () => {
  await using stage = await RestartStage.open();
  await stage.hears(100);
  rmSync(stage.stateDirectory, { recursive: true });
  await until('the files to be there again', () =>
    ['journal.db', 'sequence', 'lock', 'ledger.db'].every(
      (name) => statSync(join(stage.stateDirectory, name), { throwIfNoEntry: false }) !== undefined,
    ),
  );
  await isWell(stage);
  const rival = new Figd([
    'run',
    '--config',
    stage.daemon.configFile,
    '--local.directory',
    join(stage.daemon.directory, 'rival'),
  ]);
  const { code, stderr } = await rival.ended;
  expect([code, stderr]).toEqual([78, expect.stringContaining('another figd keeps its journal in')]);
  await stage.kill();
  stage.launch();
  await stage.settle();
  await stage.check();
  expect([stage.told.lines.size, stage.whole.unresumed]).toEqual([1, []]);
});

it.concurrent('goes on with another thread where the one that writes has ended, and loses nothing to that', {
  timeout: deadlineMs,
}, async () => {
  await using stage = await RestartStage.open({ nodeArguments: ['--import', endingThread] });
  await stage.hears(200);
  stage.daemon.process.child.kill('SIGUSR2');
  await isDegraded(stage, /^the journal's thread ended; .* another one is started in 1 s$/);
  await isWell(stage);
  await hasAllFrom(stage, 1);
  await stage.kill();
  stage.launch();
  await stage.settle();
  await stage.check();
  expect([stage.told.lines.size, stage.whole.unresumed]).toEqual([1, []]);
});
