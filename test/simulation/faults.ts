import type { Fault } from '../../src/simulator/faults.ts';
import { integer, pick } from '../../src/simulator/random.ts';
import type { Deed } from './deeds.ts';

const second = 1_000;
const minute = 60 * second;
const closeCodes = ['none', 'none', 1000, 1001, 1008, 1011, 1012, 1013, 4000, 4401, 4777] as const;
export const methods = ['auth', 'auth/refresh', 'heartbeat', 'v1/subscribe'] as const;
const paths = ['/v1/auth', '/realms', '/ws/v1', '/v1/rfq', '/'] as const;
const statuses = [400, 401, 403, 404, 418, 429, 500, 502, 503] as const;

/** How long something lasts: moments, up to the patience of the time-outs, or beyond it. */
export const forMs = (random: () => number): number =>
  pick(random, [
    () => integer(random, 200, 5_000),
    () => integer(random, 5_000, 90_000),
    () => integer(random, minute, 8 * minute),
  ])();
/** How often something happens. */
export const times = (random: () => number): number => integer(random, 1, 6);

export const fault = (it: Fault): Deed => ({ do: 'fault', fault: it });

export function drop(random: () => number): Fault {
  const code = pick(random, closeCodes);
  return { kind: 'drop', ...(code === 'none' ? {} : { code }) };
}

export function httpStatus(random: () => number): Fault {
  const status = pick(random, statuses);
  const path = pick(random, paths);
  const limit =
    status === 429 || status === 503
      ? pick(random, [{ retryAfterS: integer(random, 0, 90) }, { resetInS: integer(random, 1, 90) }, {}])
      : {};
  return random() < 0.5
    ? { kind: 'http-status', status, path, times: times(random), ...limit }
    : { kind: 'http-status', status, path, forMs: forMs(random), ...limit };
}

export function rpcError(random: () => number): Fault {
  const [code, message] = pick(random, [
    [429, 'rate limit exceeded'],
    [-32603, 'internal error'],
    [-32000, 'rate limit, try again'],
    [-32042, 'something else'],
    [-32700, 'authentication error'],
  ] as const);
  return { kind: 'rpc-error', method: pick(random, methods), code, message, times: times(random) };
}
