import type { Clock } from '../protocol/clock.ts';
import type { Supervisor } from './snapshot.ts';

const deadlineMs = 3_500;

/** Has the machines end in good order, and waits until they have, or three and a half seconds. */
export function ended(supervisor: Supervisor, clock: Clock): Promise<void> {
  if (supervisor.getSnapshot().status !== 'active') return Promise.resolve();
  return new Promise((resolve) => {
    const deadline = clock.setTimeout(resolve, deadlineMs);
    supervisor.subscribe({
      complete: () => {
        clock.clearTimeout(deadline);
        resolve();
      },
    });
    supervisor.send({ type: 'stop' });
  });
}
