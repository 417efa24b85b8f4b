import { type EventParams, reconcileChannel } from '../protocol/local.ts';
import { channelOf, type RfqFacts, rfqInFrame } from '../protocol/rfq.ts';
import { ChannelFilter } from './channels.ts';
import type { EventLog } from './event-log.ts';

/** What the log has told of an RFQ last. */
export interface KnownRfq {
  readonly rfq: RfqFacts;
  /** Sequence number of the event that told it; 0 where it was only seen in the venue's list. */
  readonly seq: number;
  /** When that event was received (unix milliseconds); 0 where there was none. */
  readonly receivedAt: number;
}

/** One slice of reading takes some 40 µs, about five RFQs of the documented size: no event waits for longer. */
const sliceBytes = 6_144;
/** From the journal, which takes a message to another thread each time. */
const recalledBytes = 65_536;
/** About 15 MB. Beyond that the oldest are forgotten, and at worst told once more. */
const mostKnown = 50_000;
/** So many events are a quarter of a second of reading: at a pace that makes them few, figd tells more in doubt. */
const mostRecalled = 50_000;
const channels = ['rfq.maker', 'rfq.taker', reconcileChannel];

/**
 * The state of each RFQ as readers of the log know it. It reads the log as any other consumer does, behind the events
 * and not on their way, so that knowing costs a frame nothing.
 */
export class RfqIndex {
  readonly #log: EventLog;
  readonly #filter: ChannelFilter;
  readonly #known = new Map<number, KnownRfq>();
  #epoch: string;
  #position: number;
  #isRecalled = true;

  constructor(log: EventLog) {
    this.#log = log;
    this.#epoch = log.epoch;
    this.#position = log.head + 1;
    this.#filter = new ChannelFilter(log.channels, channels);
  }

  /** Whether what an earlier run told is known, as far as it can be. */
  get isRecalled(): boolean {
    return this.#isRecalled;
  }

  /** Learns from the journal what an earlier run told since a moment (unix milliseconds). */
  async recall(since: number): Promise<void> {
    const { journal, epoch } = this.#log;
    if (journal === null) return;
    const end = this.#position;
    this.#isRecalled = false;
    const first = Math.max((await journal.firstSince(epoch, since)) ?? end, end - mostRecalled);
    for (let position = first; position < end && epoch === this.#log.epoch; ) {
      const batch = await journal.read({ epoch, from: position, channels, maxBytes: recalledBytes });
      if (batch === null || batch.next <= position) break;
      position = batch.next;
      for (const { seq, receivedAt, rfq } of batch.chunks.flatMap(toldIn)) {
        // What has been learned from this run's events, or from the venue, is newer.
        const known = this.#known.get(rfq.id);
        const isOlder = known === undefined || (known.seq >= first && known.seq < seq);
        if (isOlder && seq < end) this.learn(rfq, seq, receivedAt);
      }
    }
    this.#isRecalled = true;
  }

  /** Reads on for one slice. Returns whether there is nothing left to read. */
  readOn(): boolean {
    this.#keepUp();
    const { chunks, next } = this.#log.read(this.#position, this.#filter, sliceBytes);
    this.#position = next;
    for (const { rfq, seq, receivedAt } of chunks.flatMap(toldIn)) this.learn(rfq, seq, receivedAt);
    return next > this.#log.head;
  }

  get(id: number): KnownRfq | undefined {
    this.#keepUp();
    return this.#known.get(id);
  }

  /** Remembers an RFQ that the venue's list told. */
  learn(rfq: RfqFacts, seq: number, receivedAt: number): void {
    this.#keepUp();
    // Anew at the end: the order of the map is the order of forgetting.
    this.#known.delete(rfq.id);
    this.#known.set(rfq.id, { rfq, seq, receivedAt });
    if (this.#known.size <= mostKnown) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** Forgets what was created before a moment (venue's unix milliseconds) and is of no use to a comparison any more. */
  forgetBefore(moment: number): void {
    for (const [id, { rfq }] of this.#known) {
      const isAlive = rfq.isOpen && (rfq.expiresAt ?? 0) >= moment;
      if ((rfq.createdAt ?? 0) < moment && !isAlive) this.#known.delete(id);
    }
  }

  /** Forgets all that a channel has told. */
  forget(channel: string): void {
    for (const [id, { rfq }] of this.#known) if (channelOf(rfq) === channel) this.#known.delete(id);
  }

  /** How many RFQs are open at a moment (venue's unix milliseconds), as far as the log has told. */
  open(moment: number): number {
    let count = 0;
    for (const { rfq } of this.#known.values()) {
      if (rfq.isOpen && (rfq.expiresAt ?? Number.POSITIVE_INFINITY) > moment) count += 1;
    }
    return count;
  }

  /** In a new epoch, what is known is older than any of its events. */
  #keepUp(): void {
    if (this.#epoch === this.#log.epoch) return;
    this.#epoch = this.#log.epoch;
    this.#position = 1;
    for (const [id, known] of this.#known) this.#known.set(id, { ...known, seq: 0 });
  }

  get size(): number {
    return this.#known.size;
  }
}

/** What the lines of a chunk tell of RFQs, in order. */
function toldIn(chunk: Buffer): readonly KnownRfq[] {
  const told: KnownRfq[] = [];
  for (const line of chunk.toString('utf8').split('\n')) {
    if (line === '') continue;
    const { params } = JSON.parse(line) as { readonly params: EventParams };
    const rfq = rfqInFrame(params.message);
    if (rfq !== null) told.push({ rfq, seq: params.seq, receivedAt: params.receivedAt });
  }
  return told;
}
