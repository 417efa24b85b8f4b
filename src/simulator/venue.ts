import { pathOf } from '../protocol/path.ts';
import type { Rfq } from './book.ts';
import { FaultBoard } from './fault-board.ts';
import type { Fault } from './faults.ts';
import { Flow } from './flow.ts';
import { type Channel, envelope, malformedFrames, oversizedFrame } from './frames.ts';
import { answerHttp, faultyReply, type HttpContext } from './http.ts';
import { Market } from './market.ts';
import { defaultOptions, type VenueOptions } from './options.ts';
import {
  type Activity,
  type HttpReply,
  type HttpRequest,
  type Peer,
  type SessionHandle,
  type UpgradeReply,
  VenueDownError,
  type VenuePorts,
} from './ports.ts';
import { SlidingWindow } from './rate-limit.ts';
import { Session, type SessionContext } from './session.ts';
import { emptyStats, remember, type VenueStats } from './stats.ts';
import { TokenIssuer, type TokenStyle } from './tokens.ts';

/** The life of tokens by endpoint, as documented: 1 hour and 5 minutes. */
const documentedTokenLife: Readonly<Record<TokenStyle, number>> = { json: 3_600_000, oauth2: 300_000 };

/**
 * The simulated venue: tokens, REST, sessions, a market and faults, with neither sockets nor a clock of its own. A
 * shell gives it HTTP requests and WebSocket connections; in virtual time a test does the same in memory.
 */
export class Venue {
  readonly options: VenueOptions;
  readonly stats: VenueStats = emptyStats();
  readonly faults: FaultBoard;
  readonly #ports: VenuePorts;
  readonly #tokens: TokenIssuer;
  readonly #market: Market;
  readonly #flow: Flow;
  readonly #http: HttpContext;
  readonly #context: SessionContext;
  /** Connections that somebody may still hold the other end of, in order of age. */
  readonly #connections = new Set<Session>();
  /** Timers of HTTP replies that are being delayed. */
  readonly #delays = new Set<unknown>();
  #sessions = 0;
  #down = 0;

  constructor(options: Partial<VenueOptions>, ports: VenuePorts) {
    this.options = { ...defaultOptions, ...options };
    this.#ports = ports;
    const { clock } = ports;
    const { rate, seed, httpLimit } = this.options;
    this.#tokens = new TokenIssuer(clock, ports.random);
    this.#market = new Market(seed);
    this.#flow = new Flow(clock, rate, seed, (due) => this.#step(due));
    this.faults = new FaultBoard(clock, {
      started: (id, fault) => {
        ports.onActivity?.({ event: 'fault-started', id, kind: fault.kind });
        this.#strike(fault);
      },
      ended: (id, fault) => {
        ports.onActivity?.({ event: 'fault-ended', id, kind: fault.kind });
        if (fault.kind === 'down') this.#recover();
      },
    });
    const shared = {
      clock,
      options: this.options,
      tokens: this.#tokens,
      faults: this.faults,
      stats: this.stats,
      tokenLife: (style: TokenStyle) => this.#tokenLife(style),
      onActivity: (activity: Activity) => ports.onActivity?.(activity),
    };
    this.#http = {
      ...shared,
      book: this.#market.book,
      limiter: new SlidingWindow(httpLimit, 60_000),
    };
    this.#context = {
      ...shared,
      nextSession: () => {
        this.#sessions += 1;
        return this.#sessions;
      },
      sessionsOf: (clientId) => [...this.#connections].filter((session) => session.token?.clientId === clientId),
      ended: (session, lost) => this.#ended(session, lost),
      onSent: (record) => ports.onSent?.(record),
    };
  }

  /** Whether the `down` fault is in force. */
  get isDown(): boolean {
    return this.#down > 0;
  }

  /**
   * Answers an HTTP request. Under the fault `half-open` the promise never settles; while the venue is down it rejects
   * with {@link VenueDownError}.
   */
  async request(request: HttpRequest): Promise<HttpReply> {
    if (this.isDown) throw new VenueDownError();
    if (this.faults.find('half-open') !== undefined) return await new Promise<never>(() => {});
    const reply = answerHttp(this.#http, request);
    const delay = (this.faults.find('delay')?.ms ?? 0) + (reply.delayMs ?? 0);
    if (delay > 0) await this.#wait(delay);
    return reply;
  }

  /**
   * Whether a WebSocket handshake on this path (with query) is accepted now; an accepted one is followed by
   * {@link connect}. While the venue is down it throws {@link VenueDownError}.
   */
  upgrade(path: string): UpgradeReply {
    if (this.isDown) throw new VenueDownError();
    remember(this.stats.dialTimes, this.#ports.clock.now());
    const pathname = pathOf(path);
    const known = pathname === '/' || pathname === '/ws/v1';
    const refusal = faultyReply(this.#http, path) ?? (known ? undefined : { status: 404, headers: {}, body: '' });
    if (refusal === undefined) return { accepted: true };
    this.stats.upgradesRefused += 1;
    this.#ports.onActivity?.({ event: 'upgrade-refused', path: pathname, status: refusal.status });
    return { accepted: false, ...refusal };
  }

  /** A WebSocket is open. Its frames go to the handle returned, the venue's to `peer`. */
  connect(peer: Peer, path: string): SessionHandle {
    this.stats.dials += 1;
    // A query may carry a token, which has no place in counters and logs.
    const pathname = pathOf(path);
    const session = new Session(this.#context, peer, this.stats.dials, pathname);
    this.#connections.add(session);
    this.stats.openConnections.push(session.stats);
    this.#ports.onActivity?.({ event: 'connected', connection: session.connection, path: pathname });
    if (this.isDown) session.terminate();
    else if (this.faults.find('half-open') !== undefined) session.loseNetwork();
    return session;
  }

  /** Injects a fault and returns a function that ends it; throws `FaultError` naming the field that is wrong. */
  inject(fault: Fault): () => void {
    return this.faults.inject(fault).end;
  }

  /** Ends all faults. Half-open connections stay half-open: no connection recovers from that. */
  clearFaults(): void {
    this.faults.clear();
  }

  /** Starts the flow of market events. */
  start(): void {
    this.#flow.start();
  }

  /** Stops the flow of market events; sessions stay. */
  stop(): void {
    this.#flow.stop();
  }

  /** Stops everything: the flow, the faults, all connections, replies under way. No timer is left. */
  close(): void {
    this.stop();
    this.clearFaults();
    for (const session of this.#connections) session.terminate();
    for (const timer of this.#delays) this.#ports.clock.clearTimeout(timer);
    this.#delays.clear();
  }

  /** Makes at least `events` market events now, whatever the rate; for benchmarks and tests. */
  burst(events: number): void {
    for (let made = 0; made < events; ) made += this.#step(this.#ports.clock.now());
  }

  /** Sends one event with a payload of the caller's choice to everybody subscribed to `channel`. */
  publish(channel: Channel, data: unknown): void {
    this.stats.events[channel] += 1;
    if (this.faults.find('mute', (fault) => fault.channel === channel) !== undefined) return;
    const listeners = [...this.#connections].filter((session) => session.subscriptions.has(channel));
    const { onEvent, clock } = this.#ports;
    if (listeners.length === 0 && onEvent === undefined) return;
    const frame = JSON.stringify(envelope(this.options.envelope, channel, data));
    onEvent?.({ at: clock.now(), channel, frame, listeners: listeners.length });
    for (const session of listeners) session.sendEvent({ channel, frame });
  }

  #step(now: number): number {
    const events = this.#market.step(now);
    for (const { channel, data } of events) this.publish(channel, data);
    return events.length;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#ports.clock.setTimeout(() => {
        this.#delays.delete(timer);
        resolve();
      }, ms);
      this.#delays.add(timer);
    });
  }

  #tokenLife(style: TokenStyle): number {
    return this.faults.take('short-tokens')?.lifeMs ?? this.options.tokenLife ?? documentedTokenLife[style];
  }

  #strike(fault: Fault): void {
    switch (fault.kind) {
      case 'drop':
        for (const session of this.#connections) {
          if (fault.code === undefined) session.terminate();
          else session.close(fault.code, fault.reason ?? '');
        }
        break;
      case 'half-open':
        for (const session of this.#connections) session.loseNetwork();
        break;
      case 'down':
        this.#down += 1;
        for (const session of this.#connections) session.terminate();
        if (this.#down === 1) this.#ports.onAvailability?.(false);
        break;
      case 'expire-tokens':
        this.#tokens.revokeAll();
        for (const session of this.#connections)
          if (session.token !== undefined) session.close(4401, 'session expired');
        break;
      case 'malformed':
        for (const frame of malformedFrames(this.options.envelope, this.#sample())) {
          for (const session of this.#connections) session.sendEvent(frame);
        }
        break;
      case 'oversized': {
        const frame = oversizedFrame(this.options.envelope, this.#sample(), fault.bytes);
        for (const session of this.#connections) if (session.subscriptions.has('rfq.maker')) session.sendEvent(frame);
        break;
      }
      default:
        // The other kinds act where replies are made.
        break;
    }
  }

  /** An RFQ of the book; a market that has not begun begins now. */
  #sample(): Rfq {
    const [rfq] = this.#market.book.all();
    if (rfq !== undefined) return rfq;
    this.#step(this.#ports.clock.now());
    return this.#sample();
  }

  #recover(): void {
    this.#down -= 1;
    if (this.#down === 0) this.#ports.onAvailability?.(true);
  }

  #ended(session: Session, lost: boolean): void {
    if (!lost) this.#connections.delete(session);
    const { openConnections, closedConnections } = this.stats;
    const index = openConnections.indexOf(session.stats);
    if (index === -1) return;
    openConnections.splice(index, 1);
    remember(closedConnections, session.stats);
  }
}
