import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import yargs from 'yargs';
import { type Plan, planFor } from './plan.ts';
import { type Outcome, play, playSeed } from './run.ts';
import { shrink } from './shrink.ts';

const dayHours = 24;
/** How much of the story is told around a violation, in lines. */
const linesBefore = 60;
const linesAfter = 5;

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run simulation --')
  .usage(
    '$0 [--seeds N] [--hours H] [--first S] | --seed S\n\nPlays days of trouble in virtual time and checks every promise after each step.',
  )
  .option('seeds', { type: 'number', default: 200, describe: 'How many seeds to play' })
  .option('first', { type: 'number', default: 1, describe: 'The first of them' })
  .option('hours', { type: 'number', default: dayHours, describe: 'How long each of them is, in simulated hours' })
  .option('workers', { type: 'number', default: availableParallelism(), describe: 'How many processes to use' })
  .option('seed', { type: 'number', describe: 'Play this one and tell its story' })
  .option('shrink', { type: 'boolean', default: true, describe: 'Look for the shortest plan that fails alike' })
  .option('worker', { type: 'boolean', default: false, hidden: true })
  .strict()
  .parseAsync();

if (options.worker) await work();
else if (options.seed !== undefined) await tellSeed(options.seed);
else await playAll();

/** Plays one seed after the other, as it is told. */
async function work(): Promise<void> {
  process.on('message', (seed: number) => {
    playSeed(seed, options.hours).then(
      ({ violations, events }) => process.send?.({ seed, violations, events }),
      (error: unknown) =>
        process.send?.({ seed, violations: [{ at: 0, invariant: 'nothing throws', detail: String(error) }] }),
    );
  });
}

interface Report {
  readonly seed: number;
  readonly violations: Outcome['violations'];
}

async function playAll(): Promise<void> {
  const { seeds, first, hours, workers } = options;
  const startedAt = performance.now();
  const failed: Report[] = [];
  let next = first;
  let done = 0;
  const args = ['--worker', '--hours', String(hours)];
  const ended = Array.from({ length: Math.min(workers, seeds) }, () => {
    const child = fork(import.meta.filename, args, { execArgv: [...process.execArgv, '--max-semi-space-size=64'] });
    const feed = () => (next < first + seeds ? child.send(next++) : child.disconnect());
    child.on('message', (report: Report) => {
      done += 1;
      if (report.violations.length > 0) {
        failed.push(report);
        print(verdict(report));
      }
      if (done % 100 === 0) print(progress(done, startedAt, failed.length));
      feed();
    });
    feed();
    return new Promise<void>((resolve) => child.on('exit', () => resolve()));
  });
  await Promise.all(ended);
  print(progress(done, startedAt, failed.length));
  if (done < seeds) {
    print(`${seeds - done} seeds were not played: a process ended`);
    process.exitCode = 1;
  }
  failed.sort((a, b) => a.seed - b.seed);
  const worst = failed[0];
  if (worst === undefined) return;
  process.exitCode = 1;
  await tellSeed(worst.seed);
}

function verdict({ seed, violations }: Report): string {
  return `seed ${seed}: ${violations[0]?.invariant}: ${violations[0]?.detail}`;
}

function progress(done: number, startedAt: number, failed: number): string {
  const days = ((done * options.hours) / dayHours).toFixed(0);
  return `${done} seeds, ${days} simulated days, ${failed} failed, ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`;
}

/** Plays a seed, looks for the shortest plan that fails like it, and tells the story of that. */
async function tellSeed(seed: number): Promise<void> {
  const whole = await play(planFor(seed, options.hours));
  if (whole.violations.length === 0) {
    print(`seed ${seed}: every promise was kept (${whole.plan.actions.length} actions, ${whole.events} events)`);
    return;
  }
  process.exitCode = 1;
  const { plan, violations } = options.shrink ? await shrink(whole) : whole;
  print(`\nseed ${seed} fails; again with: npm run simulation -- --seed ${seed} --hours ${options.hours}`);
  for (const { at, invariant, detail } of violations) print(`  ${time(at)}  ${invariant}: ${detail}`);
  print(`\nthe setting: ${JSON.stringify(plan.setting)}`);
  print(`the shortest plan found, ${plan.actions.length} of ${whole.plan.actions.length} actions in ${plan.hours} h:`);
  for (const { at, ...deed } of plan.actions) print(`  ${time(at)}  ${JSON.stringify(deed)}`);
  print('\nwhat happened:');
  for (const line of await story(plan)) print(line);
}

async function story(plan: Plan): Promise<readonly string[]> {
  const lines: string[] = [];
  await play(plan, (at, line) => lines.push(`  ${time(at)}  ${line}`));
  const at = lines.findIndex((line) => line.includes('VIOLATION'));
  return at === -1 ? lines.slice(-linesBefore) : lines.slice(Math.max(0, at - linesBefore), at + linesAfter);
}

/** True time since the beginning: 1d 03:14:15.926. */
function time(ms: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const [days, hours, minutes] = [ms / 86_400_000, (ms / 3_600_000) % 24, (ms / 60_000) % 60];
  const seconds = ((ms / 1_000) % 60).toFixed(3).padStart(6, '0');
  return `${days < 1 ? '' : `${Math.floor(days)}d `}${two(hours)}:${two(minutes)}:${seconds}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
