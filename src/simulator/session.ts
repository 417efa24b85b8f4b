import { Alarm } from './alarm.ts';
import type { FaultBoard } from './fault-board.ts';
import type { Frame } from './frames.ts';
import { answerCall } from './methods.ts';
import type { ReplyStyle, VenueOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import type { Activity, Clock, Peer, SentRecord, SessionHandle } from './ports.ts';
import { parseCall, writeReply } from './rpc.ts';
import type { ConnectionStats, VenueStats } from './stats.ts';
import type { AccessToken, TokenIssuer, TokenStyle } from './tokens.ts';

/** What a session needs of its venue. */
export interface SessionContext {
  readonly clock: Clock;
  readonly options: VenueOptions;
  readonly tokens: TokenIssuer;
  readonly faults: FaultBoard;
  readonly stats: VenueStats;
  /** Ordinal of a session that has just authenticated. */
  nextSession(): number;
  /** The authenticated sessions of this client, oldest first. */
  sessionsOf(clientId: string): readonly Session[];
  /** The life in ms of a token issued now in this style. */
  tokenLife(style: TokenStyle): number;
  /** The session is over; `lost` when the peer cannot know because its connection is half-open. */
  ended(session: Session, lost: boolean): void;
  readonly onSent: (record: SentRecord) => void;
  readonly onActivity: (activity: Activity) => void;
}

type Phase =
  | { readonly name: 'unauthenticated' }
  | { readonly name: 'authenticated'; readonly session: number; readonly token: AccessToken }
  | { readonly name: 'closed' };

/** One WebSocket connection: authenticated within its deadline, kept by heartbeats, over when its token is. */
export class Session implements SessionHandle {
  readonly connection: number;
  readonly context: SessionContext;
  readonly stats: ConnectionStats;
  readonly #peer: Peer;
  readonly #outbox: Outbox;
  readonly #replyStyle: ReplyStyle;
  readonly #authDeadline: Alarm;
  readonly #heartbeatDeadline: Alarm;
  readonly #expiry: Alarm;
  readonly #channels = new Set<string>();
  /** Timers of replies that take their time. */
  readonly #late = new Set<unknown>();
  #phase: Phase = { name: 'unauthenticated' };

  constructor(context: SessionContext, peer: Peer, connection: number, path: string) {
    const { clock, options, faults } = context;
    const now = clock.now();
    this.connection = connection;
    this.context = context;
    this.#peer = peer;
    this.#outbox = new Outbox(clock, peer, () => faults.find('delay')?.ms ?? 0);
    this.#replyStyle = options.replyStyle ?? (isQuickstartPath(path) ? 'quickstart' : 'jsonrpc');
    this.stats = {
      connection,
      path,
      connectedAt: now,
      channels: [],
      heartbeats: 0,
      maxHeartbeatGapMs: 0,
      eventsSent: 0,
      halfOpen: false,
    };
    this.#authDeadline = new Alarm(clock, () => this.close(4401, 'not authenticated in time'));
    this.#heartbeatDeadline = new Alarm(clock, () => this.close(4408, 'heartbeat timeout'));
    this.#expiry = new Alarm(clock, () => this.close(4401, 'session expired'));
    this.#authDeadline.set(now + options.authTimeout);
    this.#heartbeatDeadline.set(now + options.heartbeatTimeout);
  }

  /** The token that carries the session, while it is authenticated. */
  get token(): AccessToken | undefined {
    return this.#phase.name === 'authenticated' ? this.#phase.token : undefined;
  }

  /** Which token endpoint belongs to the dialect spoken here. */
  get tokenStyle(): TokenStyle {
    return isQuickstartPath(this.stats.path) ? 'json' : 'oauth2';
  }

  get subscriptions(): ReadonlySet<string> {
    return this.#channels;
  }

  receive(frame: string | Uint8Array): void {
    if (this.#phase.name === 'closed' || this.stats.halfOpen) return;
    const parsed = parseCall(frame);
    if ('error' in parsed) {
      this.#outbox.send(writeReply(this.#replyStyle, parsed.id, undefined, { error: parsed.error }));
      return;
    }
    const { call } = parsed;
    const outcome = answerCall(this, call);
    if (outcome === undefined) return;
    const { id, method } = call;
    if (id !== undefined) {
      const reply = writeReply(this.#replyStyle, id, method, outcome.reply);
      this.#in(outcome.delayMs ?? 0, () => this.#outbox.send(reply));
    }
    outcome.afterwards?.();
  }

  disconnected(code: number, reason = ''): void {
    this.#outbox.discard();
    this.#end('client', code, reason);
    // A half-open connection outlives its session at the venue; now its peer is gone as well.
    this.context.ended(this, false);
  }

  /** Authenticates the connection with `token`, or extends an authenticated one to the life of `token`. */
  carryBy(token: AccessToken): 'authenticated' | 'extended' {
    const { context, connection } = this;
    const running = this.#phase.name === 'authenticated' ? this.#phase.session : undefined;
    const session = running ?? context.nextSession();
    this.#phase = { name: 'authenticated', session, token };
    this.#authDeadline.cancel();
    this.#expiry.set(token.expiresAt);
    this.stats.expiresAt = token.expiresAt;
    if (running === undefined) {
      this.stats.session = session;
      this.stats.authenticatedAt = context.clock.now();
    }
    const event = running === undefined ? 'authenticated' : 'extended';
    context.stats.auths[event] += 1;
    context.onActivity({ event, connection, session, expiresAt: token.expiresAt });
    return event;
  }

  /** Counts a heartbeat and moves the deadline. */
  beat(): void {
    const now = this.context.clock.now();
    const gap = now - (this.stats.lastHeartbeatAt ?? this.stats.connectedAt);
    this.stats.maxHeartbeatGapMs = Math.max(this.stats.maxHeartbeatGapMs, gap);
    this.stats.lastHeartbeatAt = now;
    this.stats.heartbeats += 1;
    this.context.stats.heartbeats += 1;
    this.#heartbeatDeadline.set(now + this.context.options.heartbeatTimeout);
  }

  /** A set: subscribing twice to a channel does not double its events. */
  subscribe(channels: readonly string[]): void {
    for (const channel of channels) this.#channels.add(channel);
    this.stats.channels = [...this.#channels];
  }

  unsubscribe(channels: readonly string[]): void {
    for (const channel of channels) this.#channels.delete(channel);
    this.stats.channels = [...this.#channels];
  }

  /** Sends an event frame, whatever the subscriptions; nothing happens unless the session is authenticated. */
  sendEvent({ channel, frame }: Frame): void {
    if (this.#phase.name !== 'authenticated' || this.stats.halfOpen) return;
    const { connection, context, stats } = this;
    const { session } = this.#phase;
    this.#outbox.send(frame, () => {
      stats.eventsSent += 1;
      context.stats.eventsSent += 1;
      context.onSent({ connection, session, sentAt: context.clock.now(), channel, frame });
    });
  }

  /** Closes from the venue's side, with a closing handshake. */
  close(code: number, reason: string): void {
    if (!this.#end('venue', code, reason)) return;
    this.#outbox.close(code, reason);
    this.context.ended(this, this.stats.halfOpen);
  }

  /** Cuts the connection, also one that is half-open. */
  terminate(): void {
    this.#outbox.discard();
    this.#end('venue', 1006, '');
    this.#peer.terminate();
    this.context.ended(this, false);
  }

  /** The network path is gone: nothing arrives from here any more, and what still comes in is not answered. */
  loseNetwork(): void {
    if (this.stats.halfOpen) return;
    this.stats.halfOpen = true;
    this.#outbox.discard();
    this.#peer.blackhole?.();
  }

  #in(ms: number, run: () => void): void {
    if (ms <= 0) {
      run();
      return;
    }
    const { clock } = this.context;
    const timer = clock.setTimeout(() => {
      this.#late.delete(timer);
      run();
    }, ms);
    this.#late.add(timer);
  }

  /** Whether this ended the session now; what had to be said about it has been said. */
  #end(by: 'venue' | 'client', code: number, reason: string): boolean {
    if (this.#phase.name === 'closed') return false;
    this.#phase = { name: 'closed' };
    this.#authDeadline.cancel();
    this.#heartbeatDeadline.cancel();
    this.#expiry.cancel();
    for (const timer of this.#late) this.context.clock.clearTimeout(timer);
    this.#late.clear();
    this.#channels.clear();
    const now = this.context.clock.now();
    const gap = now - (this.stats.lastHeartbeatAt ?? this.stats.connectedAt);
    this.stats.maxHeartbeatGapMs = Math.max(this.stats.maxHeartbeatGapMs, gap);
    Object.assign(this.stats, { closedAt: now, closeCode: code, closeReason: reason, closedBy: by });
    this.context.onActivity({ event: 'closed', connection: this.connection, by, code, reason });
    return true;
  }
}

function isQuickstartPath(path: string): boolean {
  return path.startsWith('/ws/v1');
}
