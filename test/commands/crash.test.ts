import { createClock } from '@sinonjs/fake-timers';
import { expect, it } from 'vitest';
import { Crash } from '../../src/commands/crash.ts';

function stage() {
  const clock = createClock();
  const done: string[] = [];
  const note = (level: string) => (fields: object) => {
    done.push(`${level}: ${(fields as { err: unknown }).err}`);
  };
  const logger = { fatal: note('fatal'), error: note('error') };
  const crash = new Crash({ logger, clock, exit: (code) => done.push(`exit ${code}`) });
  return { clock, crash, done };
}

it('ends at once where there is nothing to save yet', async () => {
  const { clock, crash, done } = stage();
  crash.happened(new Error('one'));
  await clock.tickAsync(0);
  expect(done).toEqual(['fatal: Error: one', 'exit 70']);
});

it('ends when what can be saved is saved, and after two seconds of a disk that does not answer', async () => {
  const { clock, crash, done } = stage();
  const saved = Promise.withResolvers<void>();
  crash.prepare(() => saved.promise);
  crash.happened(new Error('one'));
  await clock.tickAsync(1_999);
  expect(done).toEqual(['fatal: Error: one']);
  saved.resolve();
  await clock.tickAsync(0);
  expect(done.at(-1)).toBe('exit 70');

  const other = stage();
  other.crash.prepare(() => new Promise(() => undefined));
  other.crash.happened(new Error('one'));
  await other.clock.tickAsync(2_000);
  expect(other.done).toEqual(['fatal: Error: one', 'exit 70']);
});

it('is told once, and ends at once where something else fails meanwhile, the saving too', async () => {
  const { crash, done } = stage();
  crash.prepare(() => new Promise(() => undefined));
  crash.happened(new Error('one'));
  crash.happened(new Error('two'));
  expect(done).toEqual(['fatal: Error: one', 'error: Error: two', 'exit 70']);

  const other = stage();
  other.crash.prepare(() => Promise.reject(new Error('full')));
  other.crash.happened(new Error('one'));
  await other.clock.tickAsync(0);
  expect(other.done).toEqual(['fatal: Error: one', 'error: Error: full', 'exit 70']);
});
