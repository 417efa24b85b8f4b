import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** What the guard is told: which processes run, and which directory is to go. */
export type GuardMessage = { readonly started: number } | { readonly ended: number } | { readonly directory: string };

const running = new Set<ChildProcess>();
const graceMs = 3_000;
let guard: ChildProcess | undefined;

/** Remembers a child until it ends, so that none outlives the benchmark. */
export function track<Child extends ChildProcess>(child: Child): Child {
  const { pid } = child;
  running.add(child);
  if (pid !== undefined) tellGuard({ started: pid });
  const forget = () => {
    running.delete(child);
    if (pid !== undefined) tellGuard({ ended: pid });
  };
  child.once('exit', forget);
  child.once('error', forget);
  return child;
}

/** Removes a directory once this process is gone, however it ends. */
export function removeWithUs(directory: string): void {
  tellGuard({ directory });
}

/** Asks a child to end, and ends it after three seconds. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = new AbortController();
  await Promise.race([ended, pause(graceMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}

/** Ends all children that are left. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((child) => end(child)));
}

/** Whatever ends this process takes its children with it, also a signal that cannot be caught. */
export function endChildrenWithUs(): void {
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  guard = fork(fileURLToPath(new URL('./guard-process.ts', import.meta.url)));
  guard.unref();
  guard.channel?.unref();
}

function tellGuard(message: GuardMessage): void {
  if (guard?.connected === true) guard.send(message);
}
