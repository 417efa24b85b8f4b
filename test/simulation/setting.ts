import { pick } from '../../src/simulator/random.ts';

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

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** What the parts of a setting are drawn from: each from its own, so that none changes when another one comes to draw more. */
export interface Sources {
  readonly session: () => number;
  readonly disk: () => number;
  readonly crowd: () => number;
}

export function drawSetting({ session, disk, crowd }: Sources): Setting {
  return { ...drawSession(session), ...drawDisk(disk), ...drawLimit(crowd) };
}

type Session = Omit<Setting, 'diskLatency' | 'retainBytes' | 'numbersAhead' | 'requestsPerMinute'>;

function drawSession(random: () => number): Session {
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
