import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { SentRecord } from './ports.ts';

/** One line of the log of sent frames: `frame` for text, `base64` for a binary frame. */
export function sentLogLine({ connection, session, sentAt, channel, frame }: SentRecord): string {
  const content = typeof frame === 'string' ? { frame } : { base64: Buffer.from(frame).toString('base64') };
  return `${JSON.stringify({ connection, session, sentAt, channel, ...content })}\n`;
}

/** A file that every event frame sent is written to, one JSON line each. */
export interface SentLog {
  write(record: SentRecord): void;
  /** Resolves when everything is in the file; rejects when writing failed at any time. */
  close(): Promise<void>;
}

/** Creates the file, replacing an earlier one. Rejects with Node's error where it cannot be made. */
export async function openSentLog(path: string): Promise<SentLog> {
  const stream = createWriteStream(path, { highWaterMark: 1024 * 1024 });
  const done = finished(stream);
  // Held for close(): a disk that fills up must not take down the venue in the middle of a test.
  done.catch(() => {});
  await once(stream, 'open');
  return {
    write: (record) => {
      if (stream.writable) stream.write(sentLogLine(record));
    },
    close: async () => {
      stream.end();
      await done;
    },
  };
}
