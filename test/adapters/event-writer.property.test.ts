import { createClock } from '@sinonjs/fake-timers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventWriter } from '../../src/adapters/event-writer.ts';
import { Cursor } from '../../src/log/cursor.ts';
import { EventLog } from '../../src/log/event-log.ts';
import { JournalFeed } from '../../src/log/journal-feed.ts';
import type { Grant, Numbers } from '../../src/log/numbers.ts';
import { patternTest } from '../../src/log/patterns.ts';
import { SlowJournal } from '../log/support/slow-journal.ts';
import { SluggishSocket } from './support/sluggish-socket.ts';

const ringBytes = 524_288;
const channelsOf: readonly (readonly string[])[] = [['*'], ['a'], ['nothing'], ['*']];

type Step =
  | { readonly do: 'burst'; readonly count: number; readonly size: number }
  | { readonly do: 'settle'; readonly isGood: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'read' | 'stall' | 'flow' | 'again'; readonly who: number }
  | { readonly do: 'renew' };

const who = fc.nat({ max: channelsOf.length - 1 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .record({ count: fc.integer({ min: 1, max: 40 }), size: fc.nat({ max: 12_000 }) })
        .map((burst): Step => ({ do: 'burst', ...burst })),
    },
    { weight: 6, arbitrary: fc.constantFrom(true, true, false).map((isGood): Step => ({ do: 'settle', isGood })) },
    { weight: 4, arbitrary: fc.constantFrom(5, 20, 1_000).map((ms): Step => ({ do: 'wait', ms })) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom('read' as const, 'read' as const, 'stall' as const, 'flow' as const), who)
        .map(([what, whom]): Step => ({ do: what, who: whom })),
    },
    { weight: 1, arbitrary: who.map((whom): Step => ({ do: 'again', who: whom })) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'renew' }) },
  ),
  { maxLength: 150, size: 'max' },
);

/** Epochs that end when a test says so. */
class Epochs implements Numbers {
  readonly first = 1;
  readonly isContinuous = false;
  epoch = 'e1';
  #count = 1;
  #ceiling = Number.MAX_SAFE_INTEGER;

  renew(): void {
    this.#ceiling = 0;
  }

  raise(): Grant {
    if (this.#ceiling === 0) {
      this.#count += 1;
      this.epoch = `e${this.#count}`;
    }
    this.#ceiling = Number.MAX_SAFE_INTEGER;
    return { epoch: this.epoch, ceiling: this.#ceiling };
  }

  used(): number {
    return this.#ceiling;
  }
}

/** One connection, and what it must have been given. */
class Reader {
  readonly socket = new SluggishSocket({ highWaterMark: 16_384 });
  readonly writer: EventWriter;
  readonly #log: EventLog;
  readonly #channels: readonly string[];
  /** The subscriptions of this connection, each with where it began. */
  readonly #begun: { readonly epoch: string; readonly from: number; readonly last: number | null }[] = [];

  constructor(log: EventLog, channels: readonly string[], schedule: (run: () => void) => void) {
    this.#log = log;
    this.#channels = channels;
    this.writer = new EventWriter(this.socket.asSocket, { bufferBytes: 65_536, schedule });
    this.socket.on('drain', () => this.writer.pump());
    this.subscribe();
  }

  /** Once more on the same connection, from the beginning; the reply tells the reader where that is. */
  subscribe(): void {
    const [cursor, { epoch, from }] = Cursor.open(this.#log, { channels: this.#channels, from: 'oldest' });
    this.writer.follow(null);
    this.socket.write(`{"subscribed":${from},"epoch":"${epoch}"}\n`);
    this.#begun.push({ epoch, from, last: null });
    this.writer.follow(cursor);
  }

  /** @param lines every line that was ever appended, by epoch and number */
  check(lines: ReadonlyMap<string, ReadonlyMap<number, string>>): void {
    const wants = patternTest(this.#channels) ?? (() => true);
    let epoch = '';
    let next = 0;
    const skip = (to: number) => {
      // What a filter leaves out is passed over in silence.
      for (; next < to; next += 1) {
        const line = lines.get(epoch)?.get(next);
        if (line !== undefined) expect(wants(JSON.parse(line).params.channel), `${next} of ${epoch}`).toBe(false);
      }
    };
    for (const text of this.socket.text.split('\n').slice(0, -1)) {
      const { subscribed, params, method, ...rest } = JSON.parse(text);
      if (subscribed !== undefined) {
        epoch = rest.epoch;
        next = subscribed;
      } else if (method === 'lost') {
        skip(params.from);
        expect(params.from).toBe(next);
        next = params.to + 1;
      } else {
        skip(params.seq);
        expect(`${text}\n`).toBe(lines.get(epoch)?.get(next));
        next += 1;
      }
    }
    expect(epoch).toBe(this.#log.epoch);
    skip(this.#log.head + 1);
  }
}

class Stage {
  readonly journal = new SlowJournal();
  readonly clock = createClock();
  readonly numbers = new Epochs();
  readonly log: EventLog;
  readonly lines = new Map<string, Map<number, string>>();
  readonly #turn: (() => void)[] = [];
  readonly #readers: readonly Reader[];

  constructor() {
    const schedule = (run: () => void) => this.#turn.push(run);
    this.log = new EventLog({ numbers: this.numbers, journal: this.journal, ringBytes, schedule });
    new JournalFeed({ log: this.log, journal: this.journal, clock: this.clock });
    this.#readers = channelsOf.map((channels) => new Reader(this.log, channels, schedule));
    this.log.attach({
      appended: () => {
        for (const { writer } of this.#readers) writer.pump();
      },
      holds: (from, to) => this.#readers.some(({ writer }) => writer.holds(from, to)),
      renewed: () => {
        for (const reader of this.#readers) this.#turn.push(() => reader.subscribe());
      },
    });
  }

  async do(step: Step): Promise<void> {
    if (step.do === 'burst') for (let left = step.count; left > 0; left -= 1) this.#append(step.size);
    else if (step.do === 'settle') this.journal.settle(step.isGood);
    else if (step.do === 'wait') this.clock.tick(step.ms);
    else if (step.do === 'renew') this.numbers.renew();
    else this.#act(step.do, this.#readers[step.who]);
    await this.#endTurn();
  }

  /** Lets everything come to rest: the disk takes all, everybody reads. */
  async rest(): Promise<void> {
    for (const { socket } of this.#readers) socket.isStalled = false;
    for (let quiet = 0; quiet < 3; quiet += 1) {
      for (const { socket } of this.#readers) socket.read();
      if (this.journal.waiting > 0) quiet = 0;
      this.journal.settle();
      this.clock.tick(1_000);
      await this.#endTurn();
    }
    for (const reader of this.#readers) reader.check(this.lines);
  }

  #act(what: 'read' | 'stall' | 'flow' | 'again', reader: Reader | undefined): void {
    if (reader === undefined) return;
    if (what === 'again') reader.subscribe();
    else if (what === 'read') reader.socket.read();
    else reader.socket.isStalled = what === 'stall';
  }

  #append(size: number): void {
    const channel = size % 3 === 0 ? 'a' : 'b';
    const text = JSON.stringify(String.fromCharCode(97 + (this.log.head % 26)).repeat(size));
    const seq = this.log.append({ channel, message: Buffer.from(text), receivedAt: 5, session: 1 });
    const line = `{"jsonrpc":"2.0","method":"event","params":{"seq":${seq},"channel":"${channel}","receivedAt":5.000,"session":1,"message":${text}}}\n`;
    const lines = this.lines.get(this.log.epoch) ?? new Map<number, string>();
    this.lines.set(this.log.epoch, lines.set(seq, line));
  }

  async #endTurn(): Promise<void> {
    for (let again = 0; again < 4; again += 1) {
      for (const run of this.#turn.splice(0)) run();
      await new Promise(setImmediate);
    }
  }
}

it('gives every reader each event once and unchanged, or tells it is lost, however slow disk and sockets are', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const stage = new Stage();
      for (const step of all) await stage.do(step);
      await stage.rest();
    }),
    { numRuns: Number(process.env['FIGD_TEST_WRITERS'] ?? 40) },
  );
});
