import { build } from './build.ts';
import { endAll, endChildrenWithUs } from './children.ts';
import { Comparison, startContenders } from './compare.ts';
import { describeMachine, isBusy } from './machine.ts';
import { measureMemory } from './measures/memory.ts';
import { type Options, parseOptions, UsageError, usage } from './options.ts';
import { figure, say, warn } from './output.ts';
import { hottest } from './profile.ts';
import { writeComparison, writeMemory } from './report/write.ts';
import { Stage } from './stage.ts';

const usageError = 64;
const interrupted = 130;

let options: Options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(error.message === '' ? usage : `${error.message}\n\n${usage}`);
  process.exit(error.message === '' ? 0 : usageError);
}
build();
endChildrenWithUs();
const stage = await Stage.open();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await stage.close();
    process.exit(interrupted);
  });
}
try {
  process.exitCode = await run(stage, options);
} catch (error) {
  // After a signal everything fails: the listener above ends it.
  if (!stage.isClosing) throw error;
} finally {
  await stage.close();
}

/** @returns the exit code: 1 when something was lost or could not be measured */
async function run(on: Stage, how: Options): Promise<number> {
  const machine = describeMachine();
  if (isBusy(machine)) warn(`THIS MACHINE IS BUSY (load ${figure(machine.load)}): do not keep these figures`);
  if (how.mode === 'memory') {
    const memory = await measureMemory(on, how);
    writeMemory(how.out, { machine, result: memory });
    return memory.isComplete ? 0 : 1;
  }
  const comparison = new Comparison(on, how, await startContenders(on, how, machine));
  await comparison.run();
  if (how.mode === 'profile') {
    // Node writes the profile when the process ends.
    await endAll();
    say(hottest(how.profile));
    return 0;
  }
  const { samples, faults } = comparison;
  writeComparison(how.out, { machine, samples });
  if (faults > 0) warn(`${faults} measurements FAILED or were not without loss`);
  return faults > 0 ? 1 : 0;
}
