import type { EventParams, GapMessage } from '../../protocol/local.ts';
import type { SentRecord } from '../../simulator/ports.ts';

interface Blindness {
  readonly since: number;
  until: number;
}

/** What became of the frames the venue sent. */
export interface Balance {
  readonly events: number;
  /** Interruptions the daemon announced, and how long the closed ones were in all. */
  readonly gaps: number;
  readonly blindMs: number;
  /** Sent by the venue while the daemon was blind, in gaps that it announced. */
  readonly missedInGaps: number;
  /** Sent, not received, and not announced: this must be zero. */
  readonly lost: number;
  /** Received more often than sent: this must be zero. */
  readonly doubled: number;
  /** Holes in the sequence numbers: this must be zero. */
  readonly holes: number;
}

/** Frames sent in the last moment may still be under way when the demo ends. */
const underWayMs = 300;

/** Compares, frame by frame, what the venue sent with what a consumer of the daemon got. */
export class Accounts {
  readonly #outstanding = new Map<string, number[]>();
  readonly #blind: Blindness[] = [];
  #events = 0;
  #doubled = 0;
  #holes = 0;
  #lastSeq: number | null = null;

  sent({ frame, sentAt }: SentRecord): void {
    const key = typeof frame === 'string' ? onOneLine(frame) : Buffer.from(frame).toString('base64');
    const times = this.#outstanding.get(key);
    if (times === undefined) this.#outstanding.set(key, [sentAt]);
    else times.push(sentAt);
  }

  /** @param message the bytes of the event's message as they came over the local socket */
  received({ seq, session, encoding, message }: EventParams, bytes: string): void {
    if (this.#lastSeq !== null && seq !== this.#lastSeq + 1) this.#holes += 1;
    this.#lastSeq = seq;
    if (session === 0) return;
    this.#events += 1;
    const key = encoding === undefined ? bytes : onOneLine(String(message));
    const times = this.#outstanding.get(key);
    if (times === undefined) {
      this.#doubled += 1;
      return;
    }
    times.shift();
    if (times.length === 0) this.#outstanding.delete(key);
  }

  gap(gap: GapMessage): void {
    if (gap.phase === 'open') this.#blind.push({ since: gap.since, until: Number.POSITIVE_INFINITY });
    else {
      const open = this.#blind.at(-1);
      if (open !== undefined) open.until = gap.until;
    }
  }

  /** @param now unix milliseconds */
  balance(now: number): Balance {
    let missedInGaps = 0;
    let lost = 0;
    for (const sentAt of [...this.#outstanding.values()].flat()) {
      // The venue's clock and the daemon's are one, but the last sign of life is older than the last frame sent.
      if (this.#blind.some(({ since, until }) => sentAt >= since - 1 && sentAt <= until)) missedInGaps += 1;
      else if (now - sentAt > underWayMs) lost += 1;
    }
    const closed = this.#blind.filter(({ until }) => Number.isFinite(until));
    const blindMs = Math.round(closed.reduce((sum, { since, until }) => sum + until - since, 0));
    return {
      events: this.#events,
      gaps: this.#blind.length,
      blindMs,
      missedInGaps,
      lost,
      doubled: this.#doubled,
      holes: this.#holes,
    };
  }
}

/** Between the tokens of a frame figd turns line breaks into spaces. */
function onOneLine(frame: string): string {
  return frame.replace(/[\r\n]/g, ' ');
}
