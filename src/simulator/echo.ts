import { createHash } from 'node:crypto';
import { noteExecution } from './echo-stats.ts';
import { badRequest, bodyBytes } from './http-reply.ts';
import type { GeneratedBody, HttpReply, HttpRequest } from './ports.ts';
import { Query } from './query.ts';
import type { VenueStats } from './stats.ts';

/** Below this path requests are answered with themselves. The venue has no such thing: it is there for tests. */
export const echoPath = '/v1/simulator/echo';

const largestGenerated = 4 * 1024 ** 3;
const longestDelay = 600_000;
const chunkBytes = 64 * 1024;

/** Answers a request with its own bytes, and with what else of it a test wants to know, in headers. */
export function answerEcho(stats: VenueStats, request: HttpRequest): HttpReply {
  const { 'x-request-key': key, 'content-type': type } = request.headers;
  noteExecution(stats.echoes, key);
  const query = new Query(request.path);
  const status = query.number('status', 200, 599, 200);
  const delayMs = query.number('delayMs', 0, longestDelay, 0);
  const bytes = query.number('bytes', 0, largestGenerated, undefined);
  if (query.problems.length > 0) return badRequest(query.problems);
  const content = bodyBytes(request.body);
  const headers = {
    ...(type === undefined ? {} : { 'content-type': type }),
    'x-simulator-method': request.method,
    'x-simulator-uri': request.path,
    'x-simulator-sha256': createHash('sha256').update(content).digest('hex'),
    'x-simulator-headers': Object.keys(request.headers).sort().join(','),
  };
  return { status, headers, delayMs, body: bytes === undefined ? content : generatedBody(bytes) };
}

/**
 * The bytes that `bytes=N` asks for: 32-bit numbers in network order, each one more than the last, so that no part can
 * get lost, double or out of place unseen.
 */
export function generatedBody(length: number): GeneratedBody {
  return {
    length,
    *chunks() {
      for (let at = 0; at < length; at += chunkBytes) yield generatedChunk(at, Math.min(chunkBytes, length - at));
    },
  };
}

function generatedChunk(at: number, length: number): Uint8Array {
  const words = new DataView(new ArrayBuffer(chunkBytes));
  for (let offset = 0; offset < length; offset += 4) words.setUint32(offset, (at + offset) / 4);
  return new Uint8Array(words.buffer, 0, length);
}
