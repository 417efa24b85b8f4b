import { systemClock } from '../../../src/adapters/system-clock.ts';
import { TokenEndpoint } from '../../../src/adapters/token-endpoint.ts';
import type { Vault } from '../../../src/adapters/vault.ts';
import { VenueSession, type VenueSessionSettings } from '../../../src/adapters/venue-session.ts';
import { venueSocket } from '../../../src/adapters/venue-socket.ts';
import type { Failure } from '../../../src/protocol/failure.ts';
import type { EventFrame } from '../../../src/protocol/venue-frame.ts';
import { channels } from '../../../src/simulator/frames.ts';
import type { Simulator } from '../../../src/simulator/server.ts';
import { until, within } from '../../support/until.ts';
import { venueMethods } from '../../support/venue-methods.ts';
import { httpClient, vaultWith } from './venue.ts';

export interface SeenEvent {
  readonly channel: string;
  readonly text: string;
  readonly encoding?: string;
}

/** As a session is set in quickstart, with deadlines that a test can wait for. */
export const usualSessionSettings: VenueSessionSettings = {
  methods: venueMethods,
  authenticateWith: 'token',
  credentialStyle: 'json',
  authTimeout: 2_000,
  heartbeatTimeout: 1_000,
  subscribeTimeout: 2_000,
};

/** A session over a real socket, and all it reports. */
export class TestSession implements AsyncDisposable {
  readonly vault: Vault;
  readonly session: VenueSession;
  readonly events: SeenEvent[] = [];
  readonly strays: (string | number | null)[] = [];
  readonly closes: Failure[] = [];
  readonly unknown: Failure[] = [];
  opened = 0;
  subscribing = 0;

  constructor(url: string, settings: Partial<VenueSessionSettings> = {}, vault = vaultWith()) {
    this.vault = vault;
    const clock = systemClock();
    this.session = new VenueSession(
      () => ({ ...usualSessionSettings, ...settings }),
      {
        open: venueSocket({
          url,
          connectTimeout: () => 1_000,
          quote: (text) => vault.quote(text),
          wall: () => clock.wall(),
        }),
        clock,
        vault,
        publish: (event, _receivedAt) => this.events.push(seen(event)),
        onStrayReply: (id) => this.strays.push(id),
        onSubscribing: () => {
          this.subscribing += 1;
        },
        onUnknown: (failure) => this.unknown.push(failure),
      },
      {
        opened: () => {
          this.opened += 1;
        },
        closed: (failure) => {
          this.closes.push(failure);
        },
      },
    );
  }

  whenOpen(): Promise<unknown> {
    return until('the session to be open', () => this.opened > 0);
  }

  whenClosed(): Promise<Failure> {
    return until('the session to be closed', () => this.closes[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.dispose();
  }
}

/** An open session, with a token of the venue in its vault. */
export async function open(
  venue: Simulator,
  settings: Partial<VenueSessionSettings> = {},
  vault = vaultWith(),
): Promise<TestSession> {
  await using http = httpClient();
  const endpoint = new TokenEndpoint({ url: venue.tokenUrl, style: 'json', http, vault, clock: systemClock() });
  await endpoint.request({ generation: 1, kind: 'credentials' }, new AbortController().signal);
  const test = new TestSession(venue.socketUrl, settings, vault);
  await test.whenOpen();
  return test;
}

/** One that is authenticated, and subscribed to all channels. */
export async function live(venue: Simulator, settings: Partial<VenueSessionSettings> = {}): Promise<TestSession> {
  const test = await open(venue, settings);
  await test.session.authenticate();
  await test.session.subscribe(channels);
  return test;
}

function seen({ channel, message, encoding }: EventFrame): SeenEvent {
  const text = Buffer.from(message).toString('utf8');
  return { channel, text, ...(encoding === undefined ? {} : { encoding }) };
}

/** The failure that a promise is rejected with. */
export async function failureOfCall(call: Promise<unknown>): Promise<unknown> {
  return within(
    'the call',
    call.then(
      (value) => ({ resolved: value }),
      (error: { failure?: Failure }) => error.failure ?? error,
    ),
  );
}
