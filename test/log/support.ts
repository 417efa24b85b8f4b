import type { Cursor } from '../../src/log/cursor.ts';
import { EventLog } from '../../src/log/event-log.ts';
import { type Numbers, passingNumbers } from '../../src/log/numbers.ts';

/** When every event of a test log came. */
export const receivedAt = 1_795_334_400_123;

export interface TestLog {
  readonly log: EventLog;
  /** Ends the turn of the event loop. */
  readonly endTurn: () => void;
  /** Functions that wait for the end of the turn. */
  readonly waiting: readonly (() => void)[];
  /** Appends an event of the venue. */
  readonly add: (channel: string, message?: unknown) => number;
}

export function testLog({
  ringBytes = 1_048_576,
  numbers = passingNumbers('e1'),
}: {
  readonly ringBytes?: number;
  readonly numbers?: Numbers;
} = {}): TestLog {
  const waiting: (() => void)[] = [];
  const log = new EventLog({
    numbers,
    journal: null,
    ringBytes,
    schedule: (run) => waiting.push(run),
  });
  return {
    log,
    waiting,
    endTurn: () => {
      for (const run of waiting.splice(0)) run();
    },
    add: (channel, message = {}) =>
      log.append({ channel, message: Buffer.from(JSON.stringify(message)), receivedAt, session: 1 }),
  };
}

/** The line of an event as the contract spells it. */
export function line(seq: number, channel: string, message: string, receivedAt = '1795334400123.000'): string {
  return `{"jsonrpc":"2.0","method":"event","params":{"seq":${seq},"channel":"${channel}","receivedAt":${receivedAt},"session":1,"message":${message}}}\n`;
}

/** Reads up to the head, in slices of so many bytes, and returns all that came. */
export function readAll(cursor: Cursor, maxBytes = 65_536): string {
  const chunks: Buffer[] = [];
  // Each read moves on, so as many as there are events are enough.
  for (let turns = cursor.lag; cursor.lag > 0; turns -= 1) {
    if (turns < 0) throw new Error('reading does not move on');
    chunks.push(...cursor.read(maxBytes).chunks);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Sequence number and channel of each line. */
export function events(text: string): { seq: number; channel: string }[] {
  return text
    .split('\n')
    .filter((part) => part !== '')
    .map((part) => {
      const { seq, channel } = JSON.parse(part).params;
      return { seq, channel };
    });
}

export function seqs(text: string): number[] {
  return events(text).map(({ seq }) => seq);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
