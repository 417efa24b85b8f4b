import type { SubscriptionAnswer } from '../machines/policies/channel-book.ts';
import type { HeartbeatAck } from '../machines/session.events.ts';
import type { Clock } from '../protocol/clock.ts';
import { type Failure, type FailureCode, FailureError, failure } from '../protocol/failure.ts';
import { isRecord, type RpcErrorObject, rpcErrorCode } from '../protocol/json-rpc.ts';
import { unroutedChannel } from '../protocol/local.ts';
import { withoutEscapes } from '../protocol/raw-json.ts';
import { RequestTable, type RpcAnswer } from '../protocol/request-table.ts';
import { type EventFrame, readFrame } from '../protocol/venue-frame.ts';
import { denialIn } from './auth-reply.ts';
import { isOfAuthentication, rpcFailure } from './socket-failures.ts';
import { answerOf, askForEach, confirmedBy, type SubscribeReply, throwIfAllAre } from './subscription.ts';
import type { Vault } from './vault.ts';
import type { OpenTransport, Transport } from './venue-socket.ts';

export interface VenueSessionSettings {
  readonly methods: {
    readonly auth: string;
    readonly refresh: string;
    readonly heartbeat: string;
    readonly subscribe: string;
    readonly unsubscribe: string;
  };
  readonly authenticateWith: 'token' | 'credentials';
  /** Names of the credentials' parameters: camel case in the quickstart, snake case in OAuth2. */
  readonly credentialStyle: 'json' | 'oauth2';
  /** Deadlines in milliseconds. */
  readonly authTimeout: number;
  readonly heartbeatTimeout: number;
  readonly subscribeTimeout: number;
}

export interface VenueSessionPorts {
  readonly open: OpenTransport;
  readonly clock: Clock;
  readonly vault: Vault;
  /** Takes every event, in the turn in which it came. */
  readonly publish: (event: EventFrame, receivedAt: number) => void;
  /** A reply that no pending call waits for: it came after its deadline. */
  readonly onStrayReply: (id: string | number | null) => void;
  /** Told before the session subscribes for the first time: no event can have come to it until then. */
  readonly onSubscribing: () => void;
  /** Told of an answer with a code figd does not know that the session dealt with by itself, and so does not throw. */
  readonly onUnknown?: (found: Failure) => void;
}

export interface SessionHandlers {
  readonly opened: () => void;
  readonly closed: (failure: Failure) => void;
}

/** Our clock was set while the venue answered: how far it is from theirs was not measured. */
const noticeableStepMs = 100;
const withheld = Buffer.from(JSON.stringify('withheld by figd: the frame held a secret'));

/** One session with the venue: the calls figd makes on it, and the way of its frames into the log. */
export class VenueSession {
  readonly #settings: () => VenueSessionSettings;
  readonly #authenticateWith: VenueSessionSettings['authenticateWith'];
  readonly #ports: VenueSessionPorts;
  readonly #calls: RequestTable;
  readonly #transport: Transport;
  /** All that were ever asked for: what was sent before a channel was given up is still on its way. */
  readonly #knownChannels = new Set<string>();
  /** Whether the venue has confirmed a channel, and so takes what the session was authenticated with. */
  #hasConfirmed = false;
  /** The request to be let in that is under way. */
  #authenticating: Promise<number> | null = null;
  /** When the latest frame came in, a close frame included, on the monotonic clock; null before the first. */
  #lastFrameAt: number | null = null;
  /** How far the venue's clock is ahead of ours (milliseconds); null until a heartbeat has told. */
  #clockOffsetMs: number | null = null;

  /**
   * Dials at once.
   * @param settings as they are whenever they are asked for; how it authenticates is decided now
   */
  constructor(settings: () => VenueSessionSettings, ports: VenueSessionPorts, handlers: SessionHandlers) {
    this.#settings = settings;
    this.#authenticateWith = settings().authenticateWith;
    this.#ports = ports;
    this.#calls = new RequestTable(ports.clock);
    this.#transport = ports.open({
      opened: handlers.opened,
      frame: (bytes) => this.#receive(bytes),
      closed: (found, isComplete) => {
        if (isComplete) this.#lastFrameAt = ports.clock.monotonic();
        this.#calls.end(found);
        handlers.closed(found);
      },
    });
  }

  /** When the venue was last heard on this session (monotonic milliseconds), or null. */
  get lastFrameAt(): number | null {
    return this.#lastFrameAt;
  }

  /**
   * Authenticates as configured.
   * @returns the generation of the token in use
   * @throws {FailureError} `token-refused` or `credentials-refused` when the venue says no
   */
  authenticate(): Promise<number> {
    // Who asks while it is under way wants the same answer: the venue is asked once.
    this.#authenticating ??= this.#authenticate().finally(() => {
      this.#authenticating = null;
    });
    return this.#authenticating;
  }

  async #authenticate(): Promise<number> {
    const { vault, clock } = this.#ports;
    const { methods, credentialStyle } = this.#settings();
    if (this.#authenticateWith === 'token') return this.#presentToken(methods.auth);
    const { clientId, clientSecret } = vault;
    const params =
      credentialStyle === 'json' ? { clientId, clientSecret } : { client_id: clientId, client_secret: clientSecret };
    const generation = vault.tokenAt(clock.monotonic())?.generation ?? 0;
    await this.#authCall(methods.auth, params, 'credentials-refused', generation);
    return generation;
  }

  /**
   * Moves the session to the newest token without a new connection: by the refresh method where the venue has one,
   * else by authenticating once more.
   */
  async renewInPlace(): Promise<number> {
    try {
      return await this.#presentToken(this.#settings().methods.refresh);
    } catch (error) {
      if (!(error instanceof FailureError) || !isNo(error.failure)) throw error;
      this.#noteUnknown(error.failure);
      return this.authenticate();
    }
  }

  /**
   * Subscribes; where the venue refuses the list as a whole, asks for each channel on its own.
   * @throws {FailureError} `token-refused` or `credentials-refused` where it refuses every channel for that, and has
   * confirmed none before; what else is no verdict on channels
   */
  async subscribe(channels: readonly string[]): Promise<SubscriptionAnswer> {
    if (this.#knownChannels.size === 0) this.#ports.onSubscribing();
    for (const channel of channels) this.#knownChannels.add(channel);
    const replies = await askForEach(channels, (asked) => this.#subscribeCall(asked));
    const answer = answerOf(channels, replies);
    this.#hasConfirmed ||= answer.confirmed.length > 0;
    if (!this.#hasConfirmed) throwIfAllAre(this.#refusalOfAuth, replies);
    return answer;
  }

  /**
   * Has the venue send some channels no longer. Which of them it names in its answer says nothing: one that it does not
   * name it may not have known to be subscribed.
   * @returns the channels
   * @throws {FailureError} what the venue said, or that it said nothing
   */
  async unsubscribe(channels: readonly string[]): Promise<readonly string[]> {
    const { methods, subscribeTimeout } = this.#settings();
    const answer = await this.#call(methods.unsubscribe, { channels }, subscribeTimeout);
    if (!answer.ok) throw new FailureError(this.#refusal(methods.unsubscribe, answer.error));
    return channels;
  }

  /** @throws {FailureError} `half-open` when no reply comes in time */
  async heartbeat(): Promise<HeartbeatAck> {
    const { clock } = this.#ports;
    const { methods, heartbeatTimeout } = this.#settings();
    const sentAt = clock.monotonic();
    const sentWall = clock.wall();
    const answer = await this.#call(methods.heartbeat, {}, heartbeatTimeout).catch((error: unknown) => {
      if (!(error instanceof FailureError) || error.failure.code !== 'reply-timeout') throw error;
      throw new FailureError(
        failure('half-open', `no heartbeat reply within ${heartbeatTimeout} ms: the connection is dead`),
      );
    });
    const rttMs = clock.monotonic() - sentAt;
    // It would have been too late: this host was suspended meanwhile, as it may be that only the wall clock knows yet.
    const elapsed = Math.max(rttMs, clock.wall() - sentWall);
    if (elapsed > heartbeatTimeout) return { rttMs: heartbeatTimeout, clockOffsetMs: null };
    if (!answer.ok) return { rttMs, clockOffsetMs: null, refusal: this.#toleratedRefusal(answer.error) };
    const time = isRecord(answer.result) ? answer.result['time'] : undefined;
    const wasSet = Math.abs(clock.wall() - sentWall - rttMs) > noticeableStepMs;
    const clockOffsetMs = typeof time === 'number' && !wasSet ? time - (sentWall + rttMs / 2) : null;
    this.#clockOffsetMs = clockOffsetMs ?? this.#clockOffsetMs;
    return { rttMs, clockOffsetMs };
  }

  /**
   * Makes a call of somebody else's, as it is, and hands on the venue's answer, whatever it is.
   * @param params JSON
   * @throws {FailureError} as the table of requests does
   */
  call(method: string, params: string, deadlineMs: number): Promise<RpcAnswer> {
    return this.#calls.call(method, params, deadlineMs, (request) => this.#transport.send(request));
  }

  /**
   * The link is alive, as there was an answer. A venue that limits heartbeats, or has a fault of its own, is asked again
   * at the next interval: it closes the session itself if it minds. Any other refusal says that this is no session.
   */
  #toleratedRefusal(error: RpcErrorObject): Failure {
    const found = this.#refusal(this.#settings().methods.heartbeat, error);
    if (found.class !== 'limited' && found.code !== 'server-error') throw new FailureError(found);
    return found;
  }

  /** Starts the closing handshake. */
  hangUp(): void {
    this.#transport.hangUp();
  }

  /** Ends everything at once: pending calls are rejected and nothing is reported any more. */
  dispose(): void {
    this.#calls.end(failure('connection-lost', 'the session ended'));
    this.#transport.cut();
  }

  async #presentToken(method: string): Promise<number> {
    const token = this.#ports.vault.tokenAt(this.#ports.clock.monotonic());
    if (token === null) throw new FailureError(failure('token-refused', 'there is no access token to present'));
    await this.#authCall(method, { token: token.value }, 'token-refused', token.generation);
    return token.generation;
  }

  async #authCall(
    method: string,
    params: Readonly<Record<string, unknown>>,
    refusal: FailureCode,
    generation: number,
  ): Promise<void> {
    const answer = await this.#call(method, params, this.#settings().authTimeout);
    if (!answer.ok) throw new FailureError(this.#refusal(method, answer.error, refusal));
    const denial = denialIn(answer.result, (text) => this.#ports.vault.quote(text));
    if (denial !== null) throw new FailureError(failure(refusal, `${method}: the venue answered ${denial}`));
    const token = isRecord(answer.result) ? answer.result['token'] : undefined;
    if (typeof token === 'string' && token.length > 0) this.#ports.vault.adopt(token, generation);
  }

  /** What is refused where the venue does not take what it was shown. */
  get #refusalOfAuth(): 'token-refused' | 'credentials-refused' {
    return this.#authenticateWith === 'token' ? 'token-refused' : 'credentials-refused';
  }

  async #subscribeCall(channels: readonly string[]): Promise<SubscribeReply> {
    const { methods, subscribeTimeout } = this.#settings();
    const answer = await this.#call(methods.subscribe, { channels }, subscribeTimeout);
    if (!answer.ok) {
      const authenticating = isOfAuthentication(answer.error) ? this.#refusalOfAuth : null;
      const refusal = this.#refusal(methods.subscribe, answer.error, authenticating);
      if (refusal.code === authenticating) return { confirmed: [], refusal };
      // A method the venue does not know, a limit or a fault is no verdict on the channels.
      const isVerdict = isNo(refusal) && answer.error.code !== rpcErrorCode.methodNotFound;
      if (!isVerdict && refusal.code !== 'permission-denied') throw new FailureError(refusal);
      this.#noteUnknown(refusal);
      return { confirmed: [], refusal };
    }
    return { confirmed: confirmedBy(answer.result, channels), refusal: null };
  }

  #call(method: string, params: Readonly<Record<string, unknown>>, deadlineMs: number): Promise<RpcAnswer> {
    return this.call(method, JSON.stringify(params), deadlineMs);
  }

  /** What an error in reply to a call means; the venue's time, where a heartbeat has told it, measures its limits. */
  #refusal(method: string, error: RpcErrorObject, authenticating: FailureCode | null = null): Failure {
    const { vault, clock } = this.#ports;
    const offset = this.#clockOffsetMs;
    const reference = { now: clock.wall() + (offset ?? 0), isVenues: offset !== null };
    return rpcFailure(method, { ...error, message: vault.quote(error.message) }, { authenticating, reference });
  }

  #noteUnknown(found: Failure): void {
    if (found.unknown !== undefined) this.#ports.onUnknown?.(found);
  }

  #receive(bytes: Uint8Array): void {
    const { clock, publish, onStrayReply } = this.#ports;
    const receivedAt = clock.wall();
    this.#lastFrameAt = clock.monotonic();
    const frame = readFrame(bytes, (name) => this.#knownChannels.has(name));
    if (frame.kind === 'event') publish(this.#withoutSecrets(frame), receivedAt);
    else if (this.#calls.settle(frame.id, frame.result, frame.error, bytes)) return;
    else if (this.#calls.wasGivenUp(frame.id) || frame.otherwise === null) onStrayReply(frame.id);
    else publish(this.#withoutSecrets(frame.otherwise), receivedAt);
  }

  /** A frame without a channel may be the venue's complaint about a request of ours, quoting it. */
  #withoutSecrets(event: EventFrame): EventFrame {
    if (event.channel !== unroutedChannel) return event;
    const text = Buffer.from(event.message).toString('utf8');
    const told = event.encoding === 'base64' ? Buffer.from(text, 'base64').toString('latin1') : text;
    const isTold = [told, withoutEscapes(told)].some((form) => this.#ports.vault.isTold(form));
    return isTold ? { ...event, message: withheld, encoding: 'text' } : event;
  }
}

/** Whether the venue took the call and said no to it, in a code figd knows or not. */
function isNo({ code }: Failure): boolean {
  return code === 'rpc-error' || code === 'rpc-unknown';
}
