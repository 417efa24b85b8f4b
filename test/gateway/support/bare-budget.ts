import { type Lane, type RateLimit, RequestBudget, type Slip } from '../../../src/gateway/request-budget.ts';
import { failureOf } from '../../../src/protocol/failure.ts';
import { VirtualTime } from '../../machines/support/virtual-time.ts';

/** After so long a request that was answered counts no more: a minute, and what clocks may differ by. */
export const goneMs = 60_100;

/** A budget in virtual time, of which the test itself gives back what it was given. */
export function bareBudget(limit = 1_000, tokenRequests = 12) {
  const time = new VirtualTime();
  const { now, clock } = time;
  const budget = new RequestBudget({
    limit,
    tokenRequests,
    clock: { monotonic: now, setTimeout: clock.setTimeout, clearTimeout: (id) => clock.clearTimeout(Number(id)) },
  });
  const enter = (lane: Lane, caller: string, ms = 0, signal?: AbortSignal) =>
    budget.enter(lane, caller, { ms, ...(signal === undefined ? {} : { signal }) });
  const refusal = async (lane: Lane, caller = 'one', ms = 0) =>
    failureOf(
      await enter(lane, caller, ms).then(
        () => null,
        (error: unknown) => error,
      ),
    );
  /** Takes all there is at once in a lane. */
  const takeAll = (lane: Lane, caller: string): readonly Slip[] => {
    const slips: Slip[] = [];
    for (let slip = budget.tryEnter(lane, caller); slip !== null; slip = budget.tryEnter(lane, caller))
      slips.push(slip);
    return slips;
  };
  /** Has the venue's count known. */
  const acquaint = (told: Partial<RateLimit> = {}) =>
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit, remaining: limit - 1, ...told });
  return { time, budget, enter, refusal, takeAll, acquaint };
}
