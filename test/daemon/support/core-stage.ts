import { expect } from 'vitest';
import type { Http } from '../../../src/adapters/http-client.ts';
import { closeFailure } from '../../../src/adapters/socket-failures.ts';
import type { OpenTransport } from '../../../src/adapters/venue-socket.ts';
import type { Settings } from '../../../src/config/settings.ts';
import type { TimeJump } from '../../../src/daemon/clock-watch.ts';
import { Core } from '../../../src/daemon/core.ts';
import { venueOver } from '../../../src/daemon/venue.ts';
import type { AccessRecord } from '../../../src/gateway/access-record.ts';
import { Permissions } from '../../../src/gateway/permissions.ts';
import { ChannelFilter } from '../../../src/log/channels.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { MemoryLedger } from '../../../src/log/memory-ledger.ts';
import { passingNumbers } from '../../../src/log/numbers.ts';
import type { SupervisorFact } from '../../../src/machines/supervisor.events.ts';
import type { GapRecord } from '../../../src/protocol/ledger.ts';
import type { GapMessage, ReconcileMessage, StateMessage } from '../../../src/protocol/local.ts';
import { bodyText } from '../../../src/simulator/http-reply.ts';
import type { VenueOptions } from '../../../src/simulator/options.ts';
import { seededRandom } from '../../../src/simulator/random.ts';
import { Venue } from '../../../src/simulator/venue.ts';
import { clientId, clientSecret, vaultWith } from '../../adapters/support/venue.ts';
import { loadWithoutFile } from '../../config/workspace.ts';
import { epoch, TestClock } from './test-clock.ts';

const lookMs = 1_000;

/** The channels that are subscribed to where nothing else is configured. */
export const channels = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'];

export interface SeenLine {
  readonly seq: number;
  readonly channel: string;
  readonly message: unknown;
}

/** The daemon without its doors, over the simulated venue in memory and a clock that the test moves. */
export class CoreStage {
  readonly clock: TestClock;
  readonly store: MemoryLedger;
  readonly venue: Venue;
  readonly core: Core;
  settings: Settings;
  readonly facts: SupervisorFact[] = [];
  readonly states: StateMessage[] = [];
  readonly jumps: TimeJump[] = [];
  readonly settled: GapRecord[] = [];
  readonly fatal: unknown[] = [];
  readonly permissions = new Permissions(undefined);
  readonly calls: AccessRecord[] = [];
  /** Cuts the connections that are open, as a network does. */
  readonly #open = new Set<() => void>();
  #looking: unknown;

  constructor({
    clock = new TestClock(),
    store = new MemoryLedger(epoch),
    venue,
    options = {},
    flags = {},
  }: {
    clock?: TestClock;
    store?: MemoryLedger;
    /** The venue of an earlier run, which goes on. */
    venue?: Venue;
    options?: Partial<VenueOptions>;
    flags?: Record<string, string>;
  } = {}) {
    this.clock = clock;
    this.store = store;
    this.venue = venue ?? simulatedVenue(clock, options);
    this.settings = settingsOf(flags);
    const settings = () => this.settings;
    const vault = vaultWith();
    this.core = new Core({
      settings,
      venue: venueOver({ settings, vault, clock }, { http: this.#http(), open: this.#transport() }),
      vault,
      clock,
      random: () => 0.5,
      store,
      numbers: passingNumbers('e'),
      journal: null,
      storageTrouble: () => null,
      schedule: (run) => queueMicrotask(run),
      lookInterval: lookMs,
      permissions: this.permissions,
      onCall: (record) => this.calls.push(record),
      onFact: (fact) => this.facts.push(fact),
      onState: (message) => this.states.push(message),
      onJump: (jump) => this.jumps.push(jump),
      onGapOpened: () => undefined,
      onGapSettled: (gap) => this.settled.push(gap),
      onFatal: (error) => this.fatal.push(error),
    });
  }

  /** How long a start takes. */
  static readonly startMs = lookMs / 2;

  static async open(...given: ConstructorParameters<typeof CoreStage>): Promise<CoreStage> {
    const stage = new CoreStage(...given);
    await stage.start();
    return stage;
  }

  async start(): Promise<void> {
    this.core.start();
    this.#look();
    await this.pass(CoreStage.startMs);
  }

  pass(ms: number): Promise<void> {
    return this.clock.time.advance(ms);
  }

  /** Somebody reloads, with these flags. */
  reload(flags: Record<string, string>): void {
    this.settings = settingsOf(flags);
    this.core.settingsChanged();
  }

  /** Every connection to the venue is lost. */
  dropAll(): void {
    for (const cut of this.#open) cut();
  }

  /** The oldest connection to the venue is lost. */
  dropOldest(): void {
    const [cut] = this.#open;
    cut?.();
  }

  /** All lines of the log, in order. */
  lines(): readonly SeenLine[] {
    return readAll(this.core.log)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).params);
  }

  on<Message>(channel: string): readonly Message[] {
    return this.lines().flatMap((line) => (line.channel === channel ? [line.message as Message] : []));
  }

  get gaps(): readonly GapMessage[] {
    return this.on('figd.gap');
  }

  get reconciled(): readonly ReconcileMessage[] {
    return this.on('figd.reconcile');
  }

  /** The types of the facts so far, without the heartbeats. */
  get told(): readonly SupervisorFact['type'][] {
    return this.facts.map(({ type }) => type).filter((type) => type !== 'session.heartbeat');
  }

  get state() {
    return this.core.machines.view().session?.state ?? null;
  }

  async stop(): Promise<void> {
    this.clock.clearTimeout(this.#looking);
    const stopped = this.core.stop();
    await this.pass(4_000);
    await stopped;
  }

  /** Stops it, and expects that nothing was fatal. */
  async stopSoundly(): Promise<void> {
    await this.stop();
    expect(this.fatal).toEqual([]);
  }

  #look(): void {
    this.#looking = this.clock.setTimeout(() => {
      this.core.lookAtClock();
      this.core.lookAround();
      this.#look();
    }, lookMs);
  }

  #http(): Http {
    return {
      send: async ({ url, method, headers, body = '' }) => {
        const { pathname, search } = new URL(url);
        const request = { method, path: pathname + search, headers: { ...headers }, body };
        const reply = await this.venue.request(request);
        return { ...reply, body: bodyText(reply.body) };
      },
      close: async () => undefined,
    };
  }

  #transport(): OpenTransport {
    return ({ opened, frame, closed }) => {
      let isOver = false;
      const end = (code: number, reason = '') => {
        if (isOver) return;
        isOver = true;
        this.#open.delete(drop);
        handle?.disconnected(code, reason);
        closed(closeFailure(code, reason), code !== 1006);
      };
      const later = (run: () => void) => queueMicrotask(() => (isOver ? undefined : run()));
      const peer = {
        send: (bytes: string | Uint8Array) => later(() => frame(Buffer.from(bytes as Uint8Array))),
        close: (code: number, reason: string) => later(() => end(code, reason)),
        terminate: () => later(() => end(1006)),
      };
      const drop = () => end(1006);
      let handle: ReturnType<Venue['connect']> | undefined;
      later(() => {
        handle = this.venue.connect(peer, '/ws/v1');
        this.#open.add(drop);
        opened();
      });
      return {
        send: (text) => later(() => handle?.receive(text)),
        hangUp: () => later(() => end(1000)),
        cut: () => {
          if (isOver) return;
          isOver = true;
          this.#open.delete(drop);
          handle?.disconnected(1006);
        },
      };
    };
  }
}

function settingsOf(flags: Record<string, string>): Settings {
  return loadWithoutFile({ RUNTIME_DIRECTORY: '/run/figd', STATE_DIRECTORY: '/var/lib/figd' }, flags);
}

function readAll(log: EventLog): string {
  const everything = new ChannelFilter(log.channels, ['*']);
  let text = '';
  for (let position = log.oldest; position <= log.head; ) {
    const { chunks, next } = log.read(position, everything, 1_048_576);
    text += Buffer.concat(chunks).toString('utf8');
    position = next;
  }
  return text;
}

function simulatedVenue(clock: TestClock, options: Partial<VenueOptions>): Venue {
  return new Venue(
    { clientId, clientSecret, rate: 0, ...options },
    {
      // Who sets the clock of this host does not set the venue's.
      clock: { now: () => epoch + clock.time.now(), setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout },
      random: seededRandom(7),
    },
  );
}
