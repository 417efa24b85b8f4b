import type { RfqListing, RfqPage } from '../adapters/rfq-listing.ts';
import type { EventLog } from '../log/event-log.ts';
import type { RfqIndex } from '../log/rfq-index.ts';
import type { Comparison } from '../machines/reconcile.events.ts';
import type { Clock } from '../protocol/clock.ts';
import { FailureError, failure } from '../protocol/failure.ts';
import type { GapRecord } from '../protocol/ledger.ts';
import { channelOf, mayHaveChangedSince, type RfqFacts, readRfq } from '../protocol/rfq.ts';

export interface ReconciliationPorts {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly index: RfqIndex;
  readonly listing: Pick<RfqListing, 'page'>;
  /** The gaps that wait for a comparison, oldest first: those of channels that are not heard yet may be open still. */
  readonly outstanding: () => readonly GapRecord[];
  /** Venue clock minus ours, in milliseconds; null while the session's first heartbeats have yet to tell. */
  readonly clockOffset: () => number | null;
  /** The channels that are wanted, and since when each is, without a break (monotonic milliseconds). */
  readonly wantedSince: () => ReadonlyMap<string, number>;
  /** How long before a gap RFQs may have been created that changed in it, in milliseconds. */
  readonly lookback: number;
  readonly publish: (gap: number | null, channel: string, data: Buffer) => void;
  /** Told which gaps that are open still have been looked into, and up to which moment of the venue's. */
  readonly onCompared: (gaps: readonly number[], until: number) => void;
}

/** What is compared on a channel. Moments are the venue's unix milliseconds. */
interface Watch {
  /** From when on every RFQ should be known from events; null where nobody wants the channel any more. */
  readonly from: number | null;
  /** The oldest gap in which the channel was wanted, and when it began; null where there was none. */
  readonly gap: { readonly id: number; readonly since: number } | null;
}

/** An RFQ in the venue's list that differs from what the events have told. */
interface Suspect {
  readonly rfq: RfqFacts;
  readonly channel: string;
  readonly gap: number | null;
  readonly data: Buffer;
}

/**
 * An event that is on its way over the socket may still come: what looks missed is published only if it has not come
 * after so long.
 */
const graceMs = 1_000;
/** By how much the venue's list may lag behind its events; what changed so recently is compared the next time. */
const listLagMs = 10_000;
/**
 * The venue stamps what happens before it sends the event that tells it, and how far its clock is from ours is known to
 * half a round trip: what was stamped so shortly before a gap may have been sent in it.
 */
const stampedBeforeMs = 1_000;
/** At a thousand requests a minute (the venue's limit), with much room for everybody else. */
const pagePauseMs = 100;
/** 200,000 RFQs: more than that is no gap any more. */
const mostPages = 200;
/** Some 1.5 MB. */
const hiddenAtOnce = 1_000;
const mostSuspects = 10_000;
const tooDifferent = `GET /v1/rfq: the list differs from the events in more than ${mostSuspects} RFQs`;
/** Some 50 kB, which any reader in step takes in one turn. */
const publishedAtOnce = 32;
const offsetPauseMs = 100;
const recallPatienceMs = 3_000;

/** Finds what the events should have told and did not, by comparing them with the venue's list of RFQs. */
export class Reconciliation {
  readonly #ports: ReconciliationPorts;
  /** By channel: since when it was wanted when it was compared first, and the venue's time then. */
  #watched: ReadonlyMap<string, { readonly wantedSince: number; readonly from: number }> = new Map();
  /** Venue's time up to which everything has been compared. */
  #comparedUntil: number | null = null;

  constructor(ports: ReconciliationPorts) {
    this.#ports = ports;
  }

  /** Compares once. @throws {FailureError} where the list cannot be had */
  async compare(signal: AbortSignal): Promise<Comparison> {
    const { clock, log, index, lookback, onCompared } = this.#ports;
    await this.#offset(signal);
    await this.#recalled(signal);
    await this.#catchUp(signal);
    // Known by now, and looked at together with our clock: one that is set while figd waits must not bend the comparison.
    const offset = await this.#offset(signal);
    const now = clock.wall() + offset;
    const outstanding = this.#ports.outstanding();
    const watches = this.#watch(now, offset, outstanding);
    const gaps = [...watches.values()].map(({ gap }) => gap?.since ?? now);
    const startTime = Math.min(this.#comparedUntil ?? now, ...gaps) - lookback;
    const start = { epoch: log.epoch, head: log.head };
    let missed = 0;
    for await (const suspects of this.#suspects(startTime, now, watches, signal)) {
      if (suspects.length > 0) await this.#pause(graceMs, signal);
      await this.#catchUp(signal);
      for (const suspect of suspects) {
        if (!this.#isStillMissed(suspect.rfq, start)) continue;
        this.#ports.publish(suspect.gap, suspect.channel, suspect.data);
        index.learn(suspect.rfq, log.head, clock.wall());
        missed += 1;
        // Readers have their turn, and live events theirs.
        if (missed % publishedAtOnce === 0) await this.#catchUp(signal, true);
      }
    }
    this.#comparedUntil = now;
    const open = outstanding.filter(({ until }) => until === null);
    onCompared(
      open.map(({ id }) => id),
      now,
    );
    // The next comparison may begin by so much earlier.
    index.forgetBefore(now - lookback - listLagMs);
    return { missed };
  }

  /**
   * The list is asked for, and read, by the venue's clock: how far it is from ours the first heartbeat tells. Heartbeats
   * that are not answered end the session, and the comparison with it.
   */
  async #offset(signal: AbortSignal): Promise<number> {
    for (;;) {
      const offset = this.#ports.clockOffset();
      if (offset !== null) return offset;
      await this.#pause(offsetPauseMs, signal);
    }
  }

  /** What readers know from an earlier run need not be told again; a disk that does not answer is not waited for long. */
  async #recalled(signal: AbortSignal): Promise<void> {
    const { clock, index } = this.#ports;
    const patience = clock.monotonic() + recallPatienceMs;
    while (!index.isRecalled && clock.monotonic() < patience) await this.#pause(offsetPauseMs, signal);
  }

  /**
   * What is to be compared. A channel that a reload has added begins anew, there: what was before nobody wanted, so it was not
   * missed, and what is known of it from an earlier time is of no use.
   */
  #watch(now: number, offset: number, outstanding: readonly GapRecord[]): ReadonlyMap<string, Watch> {
    const { clock, index, wantedSince } = this.#ports;
    const isFirst = this.#comparedUntil === null;
    const wanted = [...wantedSince()].map(([channel, since]) => {
      const known = this.#watched.get(channel);
      if (known?.wantedSince === since) return [channel, known] as const;
      if (!isFirst) index.forget(channel);
      const from = isFirst ? now : now - (clock.monotonic() - since);
      return [channel, { wantedSince: since, from }] as const;
    });
    this.#watched = new Map(wanted);
    const watches = new Map<string, Watch>(wanted.map(([channel, { from }]) => [channel, { from, gap: null }]));
    for (const { id, since, clockOffsetMs, channels, comparedUntil = Number.NEGATIVE_INFINITY } of outstanding) {
      const gap = { id, since: Math.max(since + (clockOffsetMs ?? offset), comparedUntil - listLagMs) };
      for (const channel of channels) {
        const { from = null, gap: other = null } = watches.get(channel) ?? {};
        watches.set(channel, { from, gap: other !== null && other.since <= gap.since ? other : gap });
      }
    }
    return watches;
  }

  /**
   * What the list tells otherwise than the events. Of what a gap has hidden there may be any number: it comes little by
   * little. Without a gap so many say that list and events are not of one kind.
   * @throws {FailureError} where they differ too much
   */
  async *#suspects(
    startTime: number,
    endTime: number,
    watches: ReadonlyMap<string, Watch>,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Suspect[]> {
    let hidden: Suspect[] = [];
    const lost: Suspect[] = [];
    for await (const page of this.#pages(startTime, endTime, signal)) {
      await this.#catchUp(signal);
      for (const [at, value] of page.rfqs.entries()) {
        const rfq = readRfq(value);
        const channel = rfq === null ? null : channelOf(rfq);
        const watch = channel === null ? undefined : watches.get(channel);
        if (rfq === null || channel === null || watch === undefined) continue;
        const gap = watch.gap?.id ?? null;
        if (this.#wasMissed(rfq, watch)) {
          (gap === null ? lost : hidden).push({ rfq, channel, gap, data: page.bytesAt(at) });
        } else if (this.#ports.index.get(rfq.id) === undefined) this.#ports.index.learn(rfq, 0, 0);
      }
      if (lost.length > mostSuspects) throw new FailureError(failure('bad-reply', tooDifferent));
      if (hidden.length < hiddenAtOnce) continue;
      yield hidden;
      hidden = [];
    }
    yield [...hidden, ...lost];
  }

  async *#pages(startTime: number, endTime: number, signal: AbortSignal): AsyncGenerator<RfqPage> {
    let cursor: string | null = null;
    for (let count = 0; count < mostPages; count += 1) {
      if (count > 0) await this.#pause(pagePauseMs, signal);
      const page: RfqPage = await this.#ports.listing.page({ startTime, endTime, cursor }, signal);
      signal.throwIfAborted();
      yield page;
      if (page.cursor === null || page.rfqs.length === 0) return;
      if (page.cursor === cursor) break;
      cursor = page.cursor;
    }
    throw new FailureError(failure('bad-reply', 'GET /v1/rfq: the list does not end'));
  }

  #wasMissed(rfq: RfqFacts, { from, gap }: Watch): boolean {
    const known = this.#ports.index.get(rfq.id);
    if (known !== undefined) {
      // A list may lag behind the events; an RFQ that is over does not open again. Without a gap there is time to wait.
      const isStale = rfq.isOpen && !known.rfq.isOpen;
      const isYoung = gap === null && known.receivedAt > this.#ports.clock.wall() - listLagMs;
      return !isStale && !isYoung && known.rfq.fingerprint !== rfq.fingerprint;
    }
    if (from !== null && (rfq.createdAt ?? 0) >= from) return true;
    return gap !== null && mayHaveChangedSince(rfq, gap.since - stampedBeforeMs);
  }

  /** What an event has told since the comparison began is newer than the list. */
  #isStillMissed(rfq: RfqFacts, start: { readonly epoch: string; readonly head: number }): boolean {
    const { index, log } = this.#ports;
    const known = index.get(rfq.id);
    if (known === undefined) return true;
    const headAtStart = start.epoch === log.epoch ? start.head : 0;
    return known.seq <= headAtStart && known.rfq.fingerprint !== rfq.fingerprint;
  }

  /** Reads the log to its head, a slice a turn of the event loop. */
  async #catchUp(signal: AbortSignal, after = false): Promise<void> {
    if (after) await this.#pause(0, signal);
    while (!this.#ports.index.readOn()) await this.#pause(0, signal);
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    return new Promise((resolve, reject) => {
      // An abort that is over tells nobody any more.
      signal.throwIfAborted();
      const stop = () => {
        clock.clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = clock.setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}
