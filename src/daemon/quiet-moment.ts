import type { CuttingTime } from '../machines/session.events.ts';
import type { Clock } from '../protocol/clock.ts';

const lookMs = 1_000;

/**
 * Waits for a moment in which no RFQ is open, so that a session that has to be cut is cut when it hurts least.
 * @param openRfqs how many are open now; null where that is not known
 * @returns how many were open when the waiting ended
 */
export function quietMoment(
  clock: Clock,
  openRfqs: () => number | null,
  { from, until }: CuttingTime,
  signal: AbortSignal,
): Promise<number | null> {
  return new Promise((resolve) => {
    let timer: unknown;
    const look = () => {
      const now = clock.monotonic();
      const open = now >= from ? openRfqs() : null;
      if (open === 0 || (until !== null && now >= until)) resolve(open);
      else wait(now < from ? from - now : lookMs);
    };
    const wait = (ms: number) => {
      const left = until === null ? ms : Math.min(ms, until - clock.monotonic());
      // Without an end nobody knows when the token dies, and the venue will say so itself.
      if (Number.isFinite(left)) timer = clock.setTimeout(look, Math.max(1, Math.min(left, 2 ** 31 - 1)));
    };
    signal.addEventListener('abort', () => clock.clearTimeout(timer), { once: true });
    look();
  });
}
