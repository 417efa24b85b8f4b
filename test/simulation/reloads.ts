import type { Fault } from '../../src/simulator/faults.ts';
import { integer, pick } from '../../src/simulator/random.ts';
import type { Deed, Draw } from './deeds.ts';
import { drop, fault, times } from './faults.ts';

const second = 1_000;
const minute = 60 * second;
const channels = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'] as const;
const channelMethods = ['v1/subscribe', 'v1/unsubscribe'] as const;

function reload(random: () => number, drawn = channels.filter(() => random() < 0.6)): Deed {
  return {
    do: 'reload',
    channels: drawn.length > 0 ? drawn : [pick(random, channels)],
    heartbeatInterval: pick(random, [10, 25, 29, 29]) * second,
    refreshAt: pick(random, [0.5, 0.8, 0.8]),
    backoffMax: pick(random, [2, 20, 20]) * second,
    reconcileInterval: pick(random, [10, 40, 40]) * minute,
  };
}

function channelFault(random: () => number): Fault {
  const method = pick(random, channelMethods);
  return pick<() => Fault>(random, [
    () => ({ kind: 'no-reply', method, times: times(random) }),
    () => ({ kind: 'unknown-method', method, times: times(random) }),
    () => ({ kind: 'rpc-error', method, code: 429, message: 'rate limit exceeded', times: times(random) }),
    () => ({ kind: 'rpc-error', method, code: -32603, message: 'internal error', times: times(random) }),
    () => ({ kind: 'partial-subscription', channels: [pick(random, channels)], times: times(random) }),
  ])();
}

/** A busy channel is added while one session takes over from another. */
function busyChannel(random: () => number): ReturnType<Draw> {
  const [without, within] = [channels.filter((channel) => channel !== 'rfq_quote.maker'), [...channels]];
  return [
    reload(random, without),
    { do: 'rotate', after: minute },
    { ...reload(random, within), after: minute + integer(random, 0, pick(random, [500, 2_000])) },
    ...Array.from({ length: 24 }, () => ({ do: 'twin' as const, after: minute + integer(random, 0, 3_000) })),
  ];
}

/** Channels are given up, or asked for; the venue does it, its answer comes too late to be known, and the wish is taken back. */
function answeredTooLate(random: () => number): ReturnType<Draw> {
  const few = [pick(random, channels)];
  const [before, between] = random() < 0.5 ? [[...channels], few] : [few, [...channels]];
  return [
    reload(random, before),
    { ...fault({ kind: 'delay', ms: integer(random, 5_200, 7_000), forMs: 2_000 }), after: minute },
    { ...reload(random, between), after: minute + 1 },
    { ...reload(random, before), after: minute + integer(random, 5_500, 40_000) },
  ];
}

/** Ways in which a change of the configuration meets what else happens. */
export const reloads: readonly Draw[] = [
  busyChannel,
  answeredTooLate,
  (random) => [reload(random)],
  (random) => [reload(random)],
  (random) => [reload(random), { ...reload(random), after: integer(random, 0, 2_000) }],
  (random) => [
    reload(random),
    ...Array.from({ length: 3 }, () => ({ ...reload(random), after: integer(random, 0, 40_000) })),
  ],
  (random) => [{ do: 'rotate' }, { ...reload(random), after: integer(random, 0, 3_000) }],
  (random) => [reload(random), { do: 'rotate', after: integer(random, 0, 1_000) }],
  (random) => [
    fault({ kind: 'delay', ms: integer(random, 50, 4_000), forMs: 30_000 }),
    { ...reload(random), after: integer(random, 0, 4_000) },
    { do: 'rotate', after: integer(random, 0, 8_000) },
    { ...reload(random), after: integer(random, 0, 16_000) },
  ],
  (random) => [fault(drop(random)), { ...reload(random), after: integer(random, 0, 3_000) }],
  (random) => [reload(random), { ...fault(drop(random)), after: integer(random, 0, 1_000) }],
  (random) => [fault(channelFault(random)), reload(random), { ...reload(random), after: integer(random, 0, 90_000) }],
  (random) => [
    { do: 'kill', ms: integer(random, 100, minute) },
    { ...reload(random), after: integer(random, 0, minute) },
  ],
  (random) => [
    { do: 'suspend', ms: integer(random, second, minute) },
    { ...reload(random), after: integer(random, 0, minute) },
  ],
  (random) => [
    reload(random),
    ...Array.from({ length: 6 }, () => ({ do: 'twin' as const, after: integer(random, 0, 1_200) })),
  ],
];
