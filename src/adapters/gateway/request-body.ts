import { PassThrough, type Readable } from 'node:stream';
import type { BodyShare } from './body-share.ts';
import { Refusal } from './refusal.ts';

/** The body of a request as it came. */
export interface IncomingBody {
  readonly stream: Readable;
  /** Bytes, where the caller has said how many. */
  readonly length: number | null;
}

/** Milliseconds: bodies are held for about as long as a call takes. */
const memoryFreeInMs = 1_000;

/**
 * Takes a body into memory.
 * @param share what it takes is taken from; it is given back with it
 * @throws {Refusal} 413 where it is larger than `most` bytes, 503 where others hold too much
 */
export async function gathered({ stream, length }: IncomingBody, most: number, share: BodyShare): Promise<Buffer> {
  const tooLarge = () =>
    new Refusal(413, 'body-too-large', `the body is larger than ${most} bytes (gateway.maxBody); it was not sent`);
  if (length !== null && length > most) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Without destroying the stream when it is left: its socket is still to carry the answer.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) throw tooLarge();
    if (!share.take(chunk.length)) throw noRoom(share.most);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes);
}

function noRoom(most: number): Refusal {
  const message = `the bodies that are held in memory have ${most} bytes together already; it was not sent`;
  return new Refusal(503, 'too-many-bodies', message, { retryAfterMs: memoryFreeInMs });
}

/** The body as it comes. Whoever takes it may end it without ending the connection on which the answer is to go back. */
export function passing({ stream }: IncomingBody): Readable {
  const through = new PassThrough();
  stream.pipe(through);
  const breakOff = () => through.destroy(new Error('the caller has gone'));
  stream.once('error', breakOff);
  stream.once('close', () => {
    if (!stream.readableEnded) breakOff();
  });
  return through;
}
