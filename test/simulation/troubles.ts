import type { Fault } from '../../src/simulator/faults.ts';
import { integer, pick } from '../../src/simulator/random.ts';
import type { Draw } from './deeds.ts';
import { drop, fault, forMs, httpStatus, methods, rpcError, times } from './faults.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Kinds of trouble, each as likely as the others. */
export const troubles: readonly Draw[] = [
  (random) => [fault(drop(random))],
  (random) => [fault(drop(random)), { ...fault(drop(random)), after: integer(random, 100, 20_000) }],
  // Somebody else uses the key: each session is ended soon after it has begun.
  (random) => [fault({ ...drop(random), times: integer(random, 2, 12) } as Fault), fault(drop(random))],
  (random) => [fault({ kind: 'half-open', forMs: forMs(random) })],
  (random) => [fault({ kind: 'down', forMs: forMs(random) })],
  () => [fault({ kind: 'expire-tokens' })],
  (random) => [fault({ kind: 'refuse-auth', times: times(random) }), fault(drop(random))],
  (random) => [fault({ kind: 'refuse-credentials', forMs: forMs(random) }), fault({ kind: 'expire-tokens' })],
  (random) => [{ do: 'rotate the key', ms: forMs(random), isTold: random() < 0.5 }],
  (random) => [fault(httpStatus(random)), fault(random() < 0.5 ? drop(random) : { kind: 'expire-tokens' })],
  (random) => [fault(httpStatus(random))],
  (random) => [fault({ kind: 'delay', ms: integer(random, 50, 4_000), forMs: forMs(random) })],
  (random) => [
    fault({ kind: 'delay', ms: integer(random, 50, 12_000), forMs: forMs(random) }),
    { ...fault(drop(random)), after: integer(random, 0, 20_000) },
  ],
  (random) => [fault({ kind: 'no-reply', method: pick(random, methods), times: times(random) }), fault(drop(random))],
  () => [fault({ kind: 'no-reply', method: 'heartbeat', times: 1 })],
  (random) => [fault(rpcError(random)), fault(drop(random))],
  (random) => [
    fault({ kind: 'unknown-method', method: pick(random, methods), times: times(random) }),
    fault(drop(random)),
  ],
  (random) => [
    fault({ kind: 'partial-subscription', channels: ['rfq.taker'], times: times(random) }),
    fault(drop(random)),
  ],
  (random) => [
    fault({ kind: 'short-tokens', lifeMs: integer(random, 8_000, 120_000), times: times(random) }),
    { do: 'refresh' },
  ],
  () => [fault({ kind: 'malformed' })],
  (random) => [{ do: 'freeze', ms: forMs(random) }],
  (random) => [
    { do: 'freeze', ms: integer(random, 1_000, 28_000) },
    { ...fault(drop(random)), after: integer(random, 0, 30_000) },
  ],
  (random) => [{ do: 'lose replies', count: times(random) }, { do: 'refresh' }],
  (random) => [{ do: 'step the clock', ms: integer(random, -hour, hour) }],
  (random) => [
    { do: 'step the clock', ms: integer(random, -90_000, 90_000) },
    { ...fault(drop(random)), after: integer(random, 0, 9_000) },
  ],
  (random) => [
    {
      do: 'suspend',
      ms: pick(random, [() => integer(random, second, minute), () => integer(random, minute, 3 * hour)])(),
    },
  ],
  (random) => [{ do: 'stall', ms: integer(random, 500, 90_000) }],
  (random) => [{ do: 'kill', ms: integer(random, 100, 10 * minute) }],
  (random) => [{ do: 'stop', ms: integer(random, 100, 5 * minute) }],
  (random) => [
    { do: 'kill', ms: integer(random, 100, 3_000) },
    { do: 'kill', ms: integer(random, 100, 3_000), after: integer(random, 3_500, 9_000) },
  ],
  (random) => [{ do: pick(random, ['reconnect', 'rotate', 'refresh'] as const) }],
  (random) => [{ do: 'rotate' }, { ...fault(drop(random)), after: integer(random, 0, 2_000) }],
  // The reply to a late `auth` comes after the answer to a later token request.
  (random) => [
    fault({ kind: 'delay', ms: integer(random, 500, 4_000), forMs: 15_000 }),
    { do: 'reconnect', after: 1_000 },
    { do: 'refresh', after: integer(random, 1_000, 1_200) },
  ],
  () => [{ do: 'twin' }],
  // A busy market while one session takes over from another.
  (random) => [
    { do: 'rotate' },
    ...Array.from({ length: 12 }, () => ({ do: 'twin' as const, after: integer(random, 0, 1_200) })),
  ],
  (random) => [
    { do: 'rotate' },
    { do: 'twin', after: integer(random, 0, 300) },
    { do: 'twin', after: integer(random, 0, 300) },
  ],
  (random) => [
    { do: 'stall consumer', ms: pick(random, [() => forMs(random), () => integer(random, hour, 4 * hour)])() },
  ],
];
