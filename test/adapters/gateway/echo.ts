import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { within } from '../../support/until.ts';
import { type VenueStage, venueStage } from './stage.ts';

export const get = (path: string) => ({ method: 'GET', path }) as const;

/** A request as it came to the venue; the body is base64. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Answers with what it got. */
export async function echo(request: IncomingMessage): Promise<string> {
  const { method, url, rawHeaders } = request;
  return JSON.stringify({ method, url, rawHeaders, body: (await buffer(request)).toString('base64') });
}

/** A venue that answers every request with that request. */
export function echoing(): Promise<VenueStage> {
  return venueStage((request, response) => void echo(request).then((told) => response.end(told)));
}

/** Writes bytes to the socket and reads until the other side ends. */
export async function askRaw(path: string, request: string): Promise<string> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write(request);
  return within('the answer', text(socket));
}
