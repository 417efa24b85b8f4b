import type { Fault } from '../../src/simulator/faults.ts';
import { integer, pick, seededRandom } from '../../src/simulator/random.ts';
import type { Flood } from './crowd.ts';

/** Something that happens to the world at a moment (true milliseconds). */
export type Action = { readonly at: number } & Deed;

export type Deed =
  | { readonly do: 'fault'; readonly fault: Fault }
  /** Nothing passes between daemon and venue for so long; what is sent is sent again afterwards. */
  | { readonly do: 'freeze'; readonly ms: number }
  /** The answers to the next HTTP requests get lost. */
  | { readonly do: 'lose replies'; readonly count: number }
  /** The key is replaced at the venue; the host learns of it so much later, or never. */
  | { readonly do: 'rotate the key'; readonly ms: number; readonly isTold: boolean }
  | { readonly do: 'step the clock'; readonly ms: number }
  | { readonly do: 'suspend' | 'stall' | 'kill' | 'stop'; readonly ms: number }
  /** The configuration is another one, and figd is told so. */
  | ({ readonly do: 'reload' } & Reload)
  /** A consumer that was never there before reads everything there is. */
  | { readonly do: 'read back' }
  | { readonly do: 'reconnect' | 'rotate' | 'refresh' | 'twin' }
  | { readonly do: 'stall consumer'; readonly ms: number }
  /** Local programs ask the venue through figd, all at once. */
  | ({ readonly do: 'flood' } & Flood)
  /** Somebody else sends so many requests with the same key. */
  | { readonly do: 'rival'; readonly count: number }
  /** Local programs make so many calls, the slowest of which the venue takes so long for. */
  | { readonly do: 'call'; readonly calls: number; readonly slowestMs: number }
  /** The journal cannot be written for so long; or nothing can, not even how far the numbers went. */
  | { readonly do: 'fill the disk' | 'break the disk'; readonly ms: number };

/** What a reload may change. Times are milliseconds. */
export interface Reload {
  readonly channels: readonly string[];
  readonly heartbeatInterval: number;
  readonly refreshAt: number;
  readonly backoffMax: number;
  readonly reconcileInterval: number;
}

/** What is drawn once for a seed. Times are milliseconds. */
export interface Setting {
  readonly latency: number;
  readonly jitter: number;
  readonly style: 'json' | 'oauth2';
  readonly tokenLife: number;
  readonly refreshTokenLife: number;
  readonly renewal: 'auto' | 'in-place' | 'rotate' | 'reconnect';
  readonly authenticateWith: 'token' | 'credentials';
  readonly inPlaceRefresh: boolean;
  readonly tokenInAuthReply: boolean;
  readonly authRefusal: 'error' | 'result';
  readonly maxSessions: number;
  readonly heartbeatInterval: number;
  readonly reconcile: boolean;
  readonly ringBytes: number;
  /** Venue clock minus true time. */
  readonly venueOffset: number;
  /** Events per second. */
  readonly rate: number;
  /** How long the disk takes for one thing. */
  readonly diskLatency: number;
  readonly retainBytes: number;
  /** How far ahead of their use numbers are kept. */
  readonly numbersAhead: number;
  /** The venue's limit of HTTP requests, as figd is told to keep it. */
  readonly requestsPerMinute: number;
}

export interface Plan {
  readonly seed: number;
  readonly hours: number;
  readonly setting: Setting;
  readonly actions: readonly Action[];
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** No fault is left in the last of it: figd has to be live again by the end. */
export const calmAtTheEnd = 30 * minute;

type Draw = (random: () => number) => readonly (Deed & { readonly after?: number })[];

const forMs = (random: () => number): number =>
  pick(random, [
    () => integer(random, 200, 5_000),
    () => integer(random, 5_000, 90_000),
    () => integer(random, minute, 8 * minute),
  ])();
const times = (random: () => number): number => integer(random, 1, 6);
const closeCodes = ['none', 'none', 1000, 1001, 1008, 1011, 1012, 1013, 4000, 4401, 4777] as const;
const methods = ['auth', 'auth/refresh', 'heartbeat', 'v1/subscribe'] as const;
const paths = ['/v1/auth', '/realms', '/ws/v1', '/v1/rfq', '/'] as const;
const statuses = [400, 401, 403, 404, 418, 429, 500, 502, 503] as const;
const fault = (it: Fault): Deed => ({ do: 'fault', fault: it });

function drop(random: () => number): Fault {
  const code = pick(random, closeCodes);
  return { kind: 'drop', ...(code === 'none' ? {} : { code }) };
}

/** Kinds of trouble, each as likely as the others. */
const troubles: readonly Draw[] = [
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
const reloads: readonly Draw[] = [
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

function httpStatus(random: () => number): Fault {
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

function rpcError(random: () => number): Fault {
  const [code, message] = pick(random, [
    [429, 'rate limit exceeded'],
    [-32603, 'internal error'],
    [-32000, 'rate limit, try again'],
    [-32042, 'something else'],
    [-32700, 'authentication error'],
  ] as const);
  return { kind: 'rpc-error', method: pick(random, methods), code, message, times: times(random) };
}

/** Everything that a seed decides. */
export function planFor(seed: number, hours: number): Plan {
  const random = seededRandom(seed * 7_919 + 17);
  // Drawn apart, so that the rest of a plan is what it was before there were a disk and callers.
  const diskRandom = seededRandom(seed * 104_729 + 5);
  const crowdRandom = seededRandom(seed * 1_299_709 + 3);
  const setting = { ...drawSetting(random), ...drawDisk(diskRandom), ...drawLimit(crowdRandom) };
  const actions: Action[] = [];
  const end = hours * hour - calmAtTheEnd;
  // From one trouble in two hours to one in six minutes.
  const pause = pick(random, [6, 15, 30, 60, 120]) * minute;
  for (let at = random() * 2 * minute; at < end; at += random() * 2 * pause) {
    for (const { after = 0, ...deed } of pick(random, troubles)(random)) {
      actions.push({ at: at + after, ...lastingAtMost(deed, Math.max(1_000, Math.floor(end - at))) });
    }
  }
  actions.push(...drawDiskTrouble(diskRandom, end), ...drawCrowd(crowdRandom, setting, end));
  actions.push(...drawCalls(seededRandom(seed * 49_979_687 + 3), hours * hour));
  actions.push(...drawReloads(seededRandom(seed * 86_028_121 + 3), end));
  actions.sort((a, b) => a.at - b.at);
  return { seed, hours, setting, actions };
}

/** On every other day the disk fails now and then; and on each somebody reads back what there is. */
function drawDiskTrouble(random: () => number, end: number): readonly Action[] {
  const actions: Action[] = [];
  if (random() < 0.5) {
    for (let at = random() * 6 * hour; at < end; at += random() * 12 * hour) {
      const what = pick(random, ['fill the disk', 'fill the disk', 'break the disk'] as const);
      const ms = pick(random, [() => forMs(random), () => integer(random, hour, 6 * hour)])();
      actions.push({ at, ...lastingAtMost({ do: what, ms }, Math.max(1_000, Math.floor(end - at))) });
    }
  }
  for (let at = hour + random() * hour; at < end; at += (1 + 5 * random()) * hour)
    actions.push({ at, do: 'read back' });
  return actions;
}

/** On every other day local programs ask now and then, mostly for more than there is, or others use the same key. */
function drawCrowd(random: () => number, { requestsPerMinute }: Setting, end: number): readonly Action[] {
  const actions: Action[] = [];
  if (random() < 0.5) return actions;
  for (let at = random() * 2 * hour; at < end; at += random() * 4 * hour) {
    const callers = integer(random, 1, 12);
    const each = pick(random, [1, 3, Math.ceil((requestsPerMinute * (0.3 + 1.7 * random())) / callers)]);
    actions.push({ at, do: 'flood', callers, each, patience: pick(random, [0, 1_000, 30_000, 90_000]) });
    if (random() < 0.3)
      actions.push({ at: at + random() * minute, do: 'rival', count: Math.ceil(random() * requestsPerMinute) });
  }
  return actions;
}

/** Programs call every now and then, also in the calm: a few at a time, or more than are let through at once. */
function drawCalls(random: () => number, end: number): readonly Action[] {
  const actions: Action[] = [];
  for (let at = random() * 10 * minute; at < end; at += random() * hour) {
    const calls = pick(random, [
      () => integer(random, 1, 8),
      () => integer(random, 1, 8),
      () => integer(random, 60, 90),
    ])();
    const slowestMs = pick(random, [0, second, 8 * second, 40 * second]);
    actions.push({ at, do: 'call', calls, slowestMs });
    // They are under way while a second session takes over, or their session is lost.
    const meanwhile = pick(random, [
      null,
      null,
      null,
      { do: 'rotate' },
      { do: 'rotate' },
      fault(drop(random)),
    ] as const);
    const isCalm = at > end - calmAtTheEnd - second;
    if (meanwhile !== null && !(isCalm && meanwhile.do === 'fault'))
      actions.push({ at: at + random() * second, ...meanwhile });
  }
  return actions;
}

/** On two of three days somebody changes the configuration now and then. */
function drawReloads(random: () => number, end: number): readonly Action[] {
  const actions: Action[] = [];
  if (random() < 1 / 3) return actions;
  for (let at = random() * 2 * hour; at < end; at += random() * 3 * hour) {
    for (const { after = 0, ...deed } of pick(random, reloads)(random)) {
      if (at + after < end) actions.push({ at: at + after, ...lastingAtMost(deed, Math.max(1_000, end - at)) });
    }
  }
  return actions;
}

/** Nothing lasts into the calm. */
function lastingAtMost(deed: Deed, ms: number): Deed {
  if ('ms' in deed && deed.do !== 'step the clock') return { ...deed, ms: Math.min(deed.ms, ms) };
  if (deed.do !== 'fault' || !('forMs' in deed.fault) || deed.fault.forMs === undefined) return deed;
  return { ...deed, fault: { ...deed.fault, forMs: Math.min(deed.fault.forMs, ms) } };
}

function drawDisk(random: () => number): Pick<Setting, 'diskLatency' | 'retainBytes' | 'numbersAhead'> {
  return {
    diskLatency: pick(random, [0.5, 5, 50, 2_000]),
    retainBytes: pick(random, [128, 1_024, 65_536, 65_536]) * 1_024,
    numbersAhead: pick(random, [1, 8, 64]),
  };
}

/** As documented, or so low that it is felt. */
function drawLimit(random: () => number): Pick<Setting, 'requestsPerMinute'> {
  return { requestsPerMinute: pick(random, [1_000, 1_000, 120, 60, 30]) };
}

type Session = Omit<Setting, 'diskLatency' | 'retainBytes' | 'numbersAhead' | 'requestsPerMinute'>;

function drawSetting(random: () => number): Session {
  const style = pick(random, ['json', 'json', 'oauth2'] as const);
  const tokenLife =
    style === 'json' ? pick(random, [hour, hour, hour, 10 * minute, 10 * minute, 90 * second]) : 5 * minute;
  return {
    latency: pick(random, [0.2, 1, 20, 120]),
    jitter: pick(random, [0, 1, 30, 200]),
    style,
    tokenLife: random() < 0.02 ? 40 * 24 * hour : tokenLife,
    refreshTokenLife: pick(random, [30 * minute, 4 * minute]),
    renewal: pick(random, ['auto', 'auto', 'in-place', 'rotate', 'rotate', 'reconnect'] as const),
    authenticateWith: random() < 0.1 ? 'credentials' : 'token',
    inPlaceRefresh: random() < 0.6,
    tokenInAuthReply: random() < 0.2,
    authRefusal: pick(random, ['error', 'result'] as const),
    maxSessions: pick(random, [1, 2, 4, 4, 4, 4, 4]),
    heartbeatInterval: pick(random, [10, 25, 29, 29, 29, 29]) * second,
    reconcile: random() < 0.8,
    ringBytes: pick(random, [256, 1_024, 8_192]) * 1_024,
    venueOffset: pick(random, [0, 0, 50_000, -3_000]),
    rate: pick(random, [0.005, 0.01, 0.02, 0.05]),
  };
}
