import { createClock } from '@sinonjs/fake-timers';
import { channels } from '../../src/simulator/frames.ts';
import { bodyText } from '../../src/simulator/http-reply.ts';
import type { VenueOptions } from '../../src/simulator/options.ts';
import type { Activity, HttpReply, Peer, SentRecord, SessionHandle, TextReply } from '../../src/simulator/ports.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { jsonTokenPath, oauth2TokenPath } from '../../src/simulator/token-endpoints.ts';
import { Venue } from '../../src/simulator/venue.ts';

/** When virtual time begins: 22 November 2026, 12:00 UTC. */
export const epoch = Date.UTC(2026, 10, 22, 12);

/** A client's end of a connection to the core. */
export class TestPeer implements Peer {
  readonly frames: (string | Uint8Array)[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  terminated = false;
  unreachable = false;

  send(frame: string | Uint8Array): void {
    this.frames.push(frame);
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  terminate(): void {
    this.terminated = true;
  }

  blackhole(): void {
    this.unreachable = true;
  }

  /** All frames that are JSON. */
  get messages(): Record<string, unknown>[] {
    return this.frames.map((frame) => JSON.parse(String(frame)));
  }

  /** Empties the list of frames and returns what was in it. */
  takeMessages(): Record<string, unknown>[] {
    const { messages } = this;
    this.frames.length = 0;
    return messages;
  }
}

export interface VirtualVenue {
  readonly venue: Venue;
  readonly clock: ReturnType<typeof createClock>;
  readonly sent: SentRecord[];
  readonly activities: Activity[];
  /** Access token from either endpoint. */
  token(style?: 'json' | 'oauth2'): Promise<string>;
  postToken(body: Record<string, string>, style?: 'json' | 'oauth2'): Promise<TextReply>;
  get(path: string, token?: string): Promise<TextReply>;
  dial(path?: string): Dialled;
  /** A connection that is authenticated with a fresh token and subscribed to all channels; its frames are taken. */
  live(path?: string): Promise<Dialled>;
}

export interface Dialled {
  readonly peer: TestPeer;
  readonly session: SessionHandle;
  /** Sends a call and returns what came back at once. */
  call(method: string, params?: Record<string, unknown>): Record<string, unknown> | undefined;
}

/** A reply whose body is read as text. */
export async function inText(answer: Promise<HttpReply>): Promise<TextReply> {
  const reply = await answer;
  return { ...reply, body: bodyText(reply.body) };
}

/** A venue in virtual time, without a market unless `rate` says otherwise. */
export function virtualVenue(options: Partial<VenueOptions> = {}): VirtualVenue {
  const clock = createClock(epoch);
  const sent: SentRecord[] = [];
  const activities: Activity[] = [];
  const venue = new Venue(
    { rate: 0, ...options },
    {
      clock: {
        now: () => clock.now,
        setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
        clearTimeout: (handle) => clock.clearTimeout(handle as number),
      },
      random: seededRandom(7),
      onSent: (record) => sent.push(record),
      onActivity: (activity) => activities.push(activity),
    },
  );
  const { clientId, clientSecret } = venue.options;

  const postToken: VirtualVenue['postToken'] = (body, style = 'json') =>
    inText(
      venue.request({
        method: 'POST',
        path: style === 'json' ? jsonTokenPath : oauth2TokenPath,
        headers: {},
        body: style === 'json' ? JSON.stringify(body) : new URLSearchParams(body).toString(),
      }),
    );
  const token: VirtualVenue['token'] = async (style = 'json') => {
    const body: Record<string, string> =
      style === 'json'
        ? { clientId, clientSecret }
        : { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    return JSON.parse((await postToken(body, style)).body).access_token;
  };
  const dial: VirtualVenue['dial'] = (path = '/ws/v1') => {
    const peer = new TestPeer();
    const session = venue.connect(peer, path);
    let id = 0;
    return {
      peer,
      session,
      call: (method, params = {}) => {
        const before = peer.frames.length;
        id += 1;
        session.receive(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
        return peer.frames.length === before ? undefined : peer.messages[before];
      },
    };
  };
  return {
    venue,
    clock,
    sent,
    activities,
    token,
    postToken,
    dial,
    get: (path, bearer) =>
      inText(
        venue.request({
          method: 'GET',
          path,
          headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
          body: '',
        }),
      ),
    live: async (path = '/ws/v1') => {
      const dialled = dial(path);
      dialled.call('auth', { token: await token() });
      dialled.call('v1/subscribe', { channels: [...channels] });
      dialled.peer.takeMessages();
      return dialled;
    },
  };
}
