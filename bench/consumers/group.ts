import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { encodeProgress } from '../feed/progress.ts';
import { Histogram } from '../histogram.ts';
import { isMarked } from '../mark.ts';
import { monotonic } from '../monotonic.ts';
import { figdSubscribe, protocols } from '../wire/protocols.ts';
import type { Connecting, Endpoint, Report } from './api.ts';
import { lostIn, Position } from './figd-lines.ts';
import { Subscriber, type SubscriberOptions } from './subscriber.ts';
import { sum, Tally } from './tally.ts';

/** Progress is told every so many events. */
const progressStep = 64;
const lookMs = 2;
const returnMs = 1_000;

/** All consumers of a measurement, in one process. */
export class Group {
  readonly #latency = new Histogram();
  readonly #progress: Socket;
  #reading: Tally[] = [];
  #stalled: Tally[] = [];
  #restless: Tally[] = [];
  #subscribers = new Set<Subscriber>();
  #webSockets: WebSocket[] = [];
  #returning: NodeJS.Timeout | undefined;
  #returns = 0;
  #told = 0;
  #isLooking = false;
  #isResumed = false;

  constructor(progressSocket: string) {
    this.#progress = connect(progressSocket);
    this.#progress.on('error', () => undefined);
  }

  async connect({ protocol, endpoint, reading, stalled, restless }: Connecting): Promise<void> {
    this.disconnect();
    this.#reading = Array.from({ length: reading }, () => new Tally());
    this.#stalled = Array.from({ length: stalled }, () => new Tally());
    this.#restless = Array.from({ length: restless }, () => new Tally());
    if (protocol === 'ws') {
      await Promise.all(this.#reading.map((tally) => this.#openWebSocket(endpoint, tally)));
      return;
    }
    const base = { protocol: protocols[protocol], where: whereOf(endpoint), onRead: () => this.#look() };
    const all = [
      ...this.#reading.map((tally) => this.#open({ ...base, tally, onOther: tellingLost(tally) })),
      ...this.#stalled.map((tally) => this.#open({ ...base, tally, onOther: tellingLost(tally), isStalled: true })),
      ...this.#restless.map((tally) => this.#openRestless(base, tally)),
    ];
    await Promise.all(all.map((subscriber) => subscriber.ready()));
  }

  expect(next: number, timed: boolean): void {
    this.#latency.clear();
    this.#told = next - 1;
    this.#returns = 0;
    for (const tally of this.#reading) tally.expect(next, timed ? this.#latency : null);
    for (const tally of [...this.#stalled, ...this.#restless]) tally.expect(next);
  }

  async finish(last: number, quietMs: number): Promise<Report> {
    const waited = [...this.#reading, ...this.#restless, ...(this.#isResumed ? this.#stalled : [])];
    let messages = -1;
    let changedAt = Date.now();
    while (waited.some(({ reached }) => reached < last)) {
      const now = sum(waited.map((tally) => tally.received(last))).messages;
      if (now !== messages) changedAt = Date.now();
      else if (Date.now() - changedAt > quietMs) break;
      messages = now;
      await pause(lookMs);
    }
    const received = (tallies: readonly Tally[]) => sum(tallies.map((tally) => tally.received(last)));
    return {
      finishedAt: Math.max(...waited.map(({ lastAt }) => lastAt)),
      reading: received(this.#reading),
      stalled: received(this.#stalled),
      restless: received(this.#restless),
      returns: this.#returns,
      latency: this.#latency.toData(),
    };
  }

  /** The number that all who read have got. */
  get reached(): number {
    return Math.min(...this.#reading.map(({ reached }) => reached));
  }

  resume(): void {
    this.#isResumed = true;
    for (const subscriber of this.#subscribers) subscriber.resume();
  }

  disconnect(): void {
    clearInterval(this.#returning);
    for (const subscriber of this.#subscribers) subscriber.close();
    for (const webSocket of this.#webSockets) webSocket.terminate();
    this.#subscribers.clear();
    this.#webSockets = [];
    this.#isResumed = false;
  }

  #open(options: SubscriberOptions): Subscriber {
    const subscriber = new Subscriber(options);
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** One that goes away every second and comes back with its position. */
  #openRestless(base: Omit<SubscriberOptions, 'tally'>, tally: Tally): Subscriber {
    const position = new Position();
    const tell = tellingLost(tally);
    const onOther = (line: Buffer) => {
      position.see(line);
      tell(line);
    };
    const open = () => this.#open({ ...base, tally, onOther, seesAll: true, subscribe: figdSubscribe(position.from) });
    let current = open();
    this.#returning = setInterval(() => {
      current.close();
      this.#subscribers.delete(current);
      this.#returns += 1;
      current = open();
      current.ready().catch(() => undefined);
    }, returnMs);
    return current;
  }

  async #openWebSocket(endpoint: Endpoint, tally: Tally): Promise<void> {
    if (!('url' in endpoint)) throw new TypeError('the feed itself is reached by its URL');
    const webSocket = new WebSocket(endpoint.url, { perMessageDeflate: false, skipUTF8Validation: true });
    this.#webSockets.push(webSocket);
    const subscribed = Promise.withResolvers<void>();
    webSocket.on('open', () => webSocket.send('{"jsonrpc":"2.0","id":1,"method":"v1/subscribe","params":{}}'));
    webSocket.on('error', subscribed.reject);
    webSocket.on('message', (data: Buffer) => {
      if (!isMarked(data, 0, data.length)) subscribed.resolve();
      else tally.take(data, data.length, monotonic());
      this.#look();
    });
    await subscribed.promise;
  }

  /** Tells the feed how far the slowest is, once for all that is read in a turn. */
  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      let slowest = Number.POSITIVE_INFINITY;
      for (const { reached } of this.#reading) slowest = Math.min(slowest, reached);
      for (const { reached } of this.#restless) slowest = Math.min(slowest, reached);
      if (slowest < this.#told + progressStep || slowest === Number.POSITIVE_INFINITY) return;
      this.#told = slowest;
      this.#progress.write(encodeProgress(slowest));
    });
  }
}

function tellingLost(tally: Tally): (frame: Buffer) => void {
  return (frame) => tally.tell(lostIn(frame));
}

function whereOf(endpoint: Endpoint): SubscriberOptions['where'] {
  if ('path' in endpoint) return { path: endpoint.path };
  if ('port' in endpoint) return { host: '127.0.0.1', port: endpoint.port };
  throw new TypeError('a URL is for a WebSocket');
}
