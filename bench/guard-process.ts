import { rmSync } from 'node:fs';
import type { GuardMessage } from './children.ts';

// Outlives the benchmark by a moment. What a killed one cannot end or remove any more, this process does.

const running = new Set<number>();
const directories = new Set<string>();

process.on('SIGINT', () => undefined);
process.on('message', (message: GuardMessage) => {
  if ('directory' in message) directories.add(message.directory);
  else if ('started' in message) running.add(message.started);
  else running.delete(message.ended);
});
process.on('disconnect', () => {
  for (const pid of running) kill(pid);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
