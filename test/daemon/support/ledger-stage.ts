import { Ledger } from '../../../src/daemon/ledger.ts';
import { MemoryLedger } from '../../../src/log/memory-ledger.ts';
import type { FailureCode } from '../../../src/protocol/failure.ts';
import type { GapRecord } from '../../../src/protocol/ledger.ts';
import type { GapMessage } from '../../../src/protocol/local.ts';
import { epoch, TestClock } from './test-clock.ts';

const second = 1_000;
export const channels = ['rfq.maker', 'rfq.taker'];

/** A ledger of gaps over the runs of a daemon, on one store and one clock. */
export class LedgerStage {
  readonly clock = new TestClock();
  readonly store = new MemoryLedger(epoch);
  /** Venue clock minus ours, as far as it is known. */
  offset: number | null = null;
  /** What this run has told. */
  published: GapMessage[] = [];
  settled: GapRecord[] = [];
  ledger: Ledger = this.begin();

  /** A run of the daemon on what the store holds. */
  begin(wanted: readonly string[] = channels): Ledger {
    this.published = [];
    this.settled = [];
    this.ledger = new Ledger({
      store: this.store,
      clock: this.clock,
      clockOffset: () => this.offset,
      publish: (message) => this.published.push(message),
      onOpened: () => undefined,
      onSettled: (gap) => this.settled.push(gap),
    });
    this.ledger.adopt(wanted);
    return this.ledger;
  }

  /** The gaps that are over, and of which it is not known whether they can be reconciled, oldest first. */
  get unsettled(): readonly GapRecord[] {
    return this.ledger.outstanding.filter(({ until, reconciled }) => until !== null && reconciled === null);
  }

  pass(ms: number): Promise<void> {
    return this.clock.time.advance(ms);
  }

  /** A gap is noticed now. @param at when it began (monotonic) */
  open(cause: FailureCode, at: number): void {
    this.ledger.open(cause, at, channels);
  }

  /** The venue is heard again. */
  hear(): void {
    this.ledger.end(this.clock.monotonic(), channels);
  }

  /** A session is live, and these are not heard although they are wanted, since a moment (monotonic). */
  miss(missing: readonly string[], since = this.clock.monotonic()): boolean {
    this.ledger.miss(new Map(missing.map((channel) => [channel, since])));
    return this.ledger.hear(channels.filter((channel) => !missing.includes(channel)));
  }

  /** A gap from second 9 to second 15, noticed in second 10. */
  async loseAndHear(): Promise<void> {
    await this.pass(10 * second);
    this.open('connection-lost', 9 * second);
    await this.pass(5 * second);
    this.hear();
  }
}

export const opened = (id: number, cause: string, since: number, of: readonly string[] = channels): GapMessage => ({
  phase: 'open',
  id,
  cause,
  since,
  channels: of,
});

/** The gap that {@link LedgerStage.loseAndHear} makes, while it is open, but for what is told otherwise. */
export const gap = (told: Partial<GapRecord>): GapRecord => ({
  id: 1,
  cause: 'connection-lost',
  since: epoch + 9 * second,
  until: null,
  blindMs: null,
  channels,
  clockOffsetMs: null,
  reconciled: null,
  ...told,
});
