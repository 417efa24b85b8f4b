import type { Fault } from '../../src/simulator/faults.ts';
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
  /** So many large events, one after the other, that the ring is written over while a slow disk is at it. */
  | { readonly do: 'burst'; readonly events: number; readonly everyMs: number }
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

/** Draws what happens together; `after` is in milliseconds from the moment of the first. */
export type Draw = (random: () => number) => readonly (Deed & { readonly after?: number })[];
