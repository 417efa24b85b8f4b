import type { Http, HttpRequest } from '../../src/adapters/http-client.ts';
import { type HttpAnswer, networkFailure, statusFailure } from '../../src/adapters/http-failures.ts';
import { closeFailure } from '../../src/adapters/socket-failures.ts';
import type { OpenTransport, Transport, TransportHandlers } from '../../src/adapters/venue-socket.ts';
import { type Failure, failure } from '../../src/protocol/failure.ts';
import { bodyText } from '../../src/simulator/http-reply.ts';
import { type HttpReply, type Peer, type SessionHandle, VenueDownError } from '../../src/simulator/ports.ts';
import type { Venue } from '../../src/simulator/venue.ts';
import type { Scheduler } from './scheduler.ts';

export interface Network {
  /** One way, in milliseconds: at least `latency`, at most `jitter` more. */
  readonly latency: number;
  readonly jitter: number;
}

export interface WiresPorts {
  readonly scheduler: Scheduler;
  readonly venue: Venue;
  readonly network: Network;
  readonly random: () => number;
  /** Number of the run of the daemon at this end. */
  readonly owner: number;
  /** Unix milliseconds on the clock of the daemon's host, and of the venue's. */
  readonly wall: () => number;
  readonly venueWall: () => number;
  readonly onDial: () => void;
  readonly onTokenRequest: () => void;
  /** A request arrives at the venue. */
  readonly onRequest: (isToken: boolean) => void;
  /** A frame or a request leaves the daemon. */
  readonly onSend: (text: string) => void;
  /** An answer to a token request arrives. */
  readonly onToken: (body: string, askedAt: number) => void;
  /** A reply frame arrives. */
  readonly onFrame: (text: string) => void;
}

const path = '/ws/v1';
/** As undici is set up: until the head of the answer. */
const replyTimeoutMs = 10_000;
const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const timedOut = () => Object.assign(new Error('Headers Timeout Error'), { code: 'UND_ERR_HEADERS_TIMEOUT' });

/** A venue and a daemon joined in memory: what one sends arrives at the other later, in order, or not at all. */
export class Wires {
  readonly #ports: WiresPorts;
  readonly #ends = new Set<End>();
  /** Until this moment nothing passes; what is sent waits, as TCP would send it again. */
  frozenUntil = 0;
  /** Requests on their way: behind their answers there are promises. */
  requests = 0;
  /** Answers to so many requests get lost. */
  repliesToLose = 0;

  constructor(ports: WiresPorts) {
    this.#ports = ports;
  }

  /** How many sockets the daemon holds. */
  get held(): number {
    return this.#ends.size;
  }

  readonly open: OpenTransport = (handlers) => {
    this.#ports.onDial();
    const end = new End(this, this.#ports, handlers, () => this.#ends.delete(end));
    this.#ends.add(end);
    return end;
  };

  readonly http: Http = {
    send: (request) => this.#send(request),
    close: async () => undefined,
  };

  /** The process is gone: the kernel tells the venue. */
  kill(): void {
    for (const end of this.#ends) end.vanish();
  }

  /** When something sent now arrives. */
  arrival(after: number): number {
    const { scheduler, network, random } = this.#ports;
    return Math.max(after, this.frozenUntil, scheduler.now + network.latency + random() * network.jitter);
  }

  /** As every HTTP server does (RFC 9110, 6.6.1). */
  dated<Reply extends HttpReply>(reply: Reply): Reply {
    const date = new Date(this.#ports.venueWall()).toUTCString();
    return { ...reply, headers: { ...reply.headers, date } };
  }

  #send({ method, url, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    const { scheduler, venue, owner, onSend, onToken, onTokenRequest, onRequest } = this.#ports;
    const { pathname, search } = new URL(url);
    const isToken = method === 'POST';
    if (isToken) onTokenRequest();
    else onSend(headers['authorization'] ?? '');
    const askedAt = scheduler.now;
    const isLost = this.repliesToLose > 0;
    if (isLost) this.repliesToLose -= 1;
    return new Promise((resolve, reject) => {
      const deadline = scheduler.at(scheduler.now + replyTimeoutMs, owner, () => reject(timedOut()));
      const finish = (settle: () => void) => {
        this.requests -= 1;
        if (isLost) return;
        const arrive = () => {
          scheduler.cancel(deadline);
          settle();
        };
        scheduler.at(this.arrival(0), owner, arrive, 'delivery');
      };
      const abort = () => {
        scheduler.cancel(deadline);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.requests += 1;
      scheduler.at(this.arrival(0), 'world', () => {
        onRequest(isToken);
        venue.request({ method, path: `${pathname}${search}`, headers, body: body ?? '' }).then(
          (reply) =>
            finish(() => {
              const answer = this.dated({ ...reply, body: bodyText(reply.body) });
              if (isToken) onToken(answer.body, askedAt);
              resolve(answer);
            }),
          () => finish(() => reject(refused())),
        );
      });
    });
  }
}

/** The daemon's end of one WebSocket. */
class End implements Transport {
  readonly #wires: Wires;
  readonly #ports: WiresPorts;
  readonly #handlers: TransportHandlers;
  readonly #gone: () => void;
  #venueEnd: SessionHandle | null = null;
  #state: 'connecting' | 'open' | 'over' = 'connecting';
  #isHangingUp = false;
  #isBlackHole = false;
  /** Frames keep their order, however the jitter falls. */
  #lastThere = 0;
  #lastHere = 0;

  constructor(wires: Wires, ports: WiresPorts, handlers: TransportHandlers, gone: () => void) {
    this.#wires = wires;
    this.#ports = ports;
    this.#handlers = handlers;
    this.#gone = gone;
    this.#there(() => this.#shakeHands());
  }

  send(text: string): void {
    if (this.#state !== 'open' || this.#isHangingUp) throw new Error('the socket is not open');
    this.#ports.onSend(text);
    this.#there(() => this.#venueEnd?.receive(text));
  }

  hangUp(): void {
    if (this.#state !== 'open') {
      this.#end(failure('connection-lost', 'hung up while connecting'));
      return;
    }
    this.#isHangingUp = true;
    this.#there(() => {
      if (this.#isBlackHole) return;
      this.#venueEnd?.disconnected(1000);
      this.#here(() => this.#end(closeFailure(1000, ''), true));
    });
  }

  cut(): void {
    if (this.#state === 'over') return;
    this.#leave();
    this.#there(() => this.#venueEnd?.disconnected(1006));
  }

  /** As `cut`, by the kernel of a process that died. */
  vanish(): void {
    this.cut();
  }

  #shakeHands(): void {
    const { venue } = this.#ports;
    let verdict: ReturnType<Venue['upgrade']>;
    try {
      verdict = venue.upgrade(path);
    } catch (error) {
      if (!(error instanceof VenueDownError)) throw error;
      this.#here(() => this.#end(networkFailure('connecting to the venue', refused())));
      return;
    }
    if (!verdict.accepted) {
      const found = statusFailure(
        'connecting to the venue',
        this.#wires.dated(verdict),
        (text) => text,
        this.#ports.wall(),
      );
      const known = found.code === 'bad-reply' || found.code === 'not-found';
      this.#here(() => this.#end(known ? failure('upgrade-refused', found.message) : found));
      return;
    }
    if (this.#state === 'over') return;
    this.#venueEnd = venue.connect(this.#peer(), path);
    this.#here(() => {
      this.#state = 'open';
      this.#handlers.opened();
    });
  }

  #peer(): Peer {
    const over = (code: number, reason: string) => {
      if (!this.#isBlackHole) this.#here(() => this.#end(closeFailure(code, reason), code !== 1006));
      // The closing handshake of the client answers it.
      this.#there(() => this.#venueEnd?.disconnected(code));
    };
    return {
      send: (frame) => {
        if (this.#isBlackHole) return;
        const bytes = Buffer.from(frame);
        this.#here(() => {
          this.#ports.onFrame(bytes.toString('utf8'));
          this.#handlers.frame(bytes);
        });
      },
      close: over,
      terminate: () => over(1006, ''),
      blackhole: () => {
        this.#isBlackHole = true;
      },
    };
  }

  #end(found: Failure, isComplete = false): void {
    if (this.#state === 'over') return;
    this.#leave();
    this.#handlers.closed(found, isComplete);
  }

  #leave(): void {
    this.#state = 'over';
    this.#gone();
  }

  #there(run: () => void): void {
    this.#lastThere = this.#wires.arrival(this.#lastThere);
    this.#ports.scheduler.at(this.#lastThere, 'world', run, 'glance');
  }

  #here(run: () => void): void {
    const { scheduler, owner } = this.#ports;
    this.#lastHere = this.#wires.arrival(this.#lastHere);
    scheduler.at(this.#lastHere, owner, () => this.#state !== 'over' && run(), 'delivery');
  }
}
