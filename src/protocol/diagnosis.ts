import type { StatusDocument } from './status.ts';

/** A state machine as it is. */
export interface MachineState {
  readonly name: string;
  /** `active`, or `error` or `stopped` where it has ended. */
  readonly status: string;
  readonly state: unknown;
  /** The plain part of what it knows. Moments are on the monotonic clock. */
  readonly context: unknown;
  /** What runs on its behalf and is no machine. */
  readonly running: readonly string[];
}

/**
 * What an engineer needs to understand a daemon that misbehaves, in 256 KiB at most; what does not fit is a text that
 * says so. It is for human eyes: members come and go with what figd is made of. It holds no secret and no token.
 */
export interface DiagnosisDocument {
  /** Unix milliseconds. */
  readonly at: number;
  /** The same moment on the monotonic clock, which the moments of the machines are on. */
  readonly monotonic: number;
  readonly uptimeMs: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly status: StatusDocument;
  readonly machines: readonly MachineState[];
  /** In force, without the credentials. */
  readonly configuration: unknown;
  /** What is under way and what waits. */
  readonly queues: unknown;
  readonly log: unknown;
  /** What keeps the event loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  readonly memory: Readonly<Record<string, number>>;
  readonly heap: Readonly<Record<string, number>>;
  readonly loop: LoopFigures;
  /** The newest lines of the log from `warn` up, oldest first. */
  readonly warnings: readonly string[];
}

/** How the event loop did since the start, or since it was last asked. */
export interface LoopFigures {
  readonly sinceMs: number;
  /** The part of the time in which it had something to do, 0 to 1. */
  readonly utilization: number;
  /** How late timers were, in milliseconds. */
  readonly delayMs: { readonly mean: number; readonly p50: number; readonly p99: number; readonly max: number };
  /** Processor time, in milliseconds. */
  readonly cpuMs: { readonly user: number; readonly system: number };
}
