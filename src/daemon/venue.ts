import { HttpClient } from '../adapters/http-client.ts';
import { Rest } from '../adapters/rest.ts';
import { TokenEndpoint } from '../adapters/token-endpoint.ts';
import type { Vault } from '../adapters/vault.ts';
import { type SessionHandlers, VenueSession, type VenueSessionPorts } from '../adapters/venue-session.ts';
import { venueSocket } from '../adapters/venue-socket.ts';
import type { Settings } from '../config/settings.ts';
import type { Clock } from '../protocol/clock.ts';

export interface VenueOptions {
  readonly settings: Settings;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** Everything that reaches the venue, set up as the configuration says. */
export interface Venue {
  readonly tokens: TokenEndpoint;
  readonly rest: Rest;
  /** Dials a session. */
  readonly dial: (
    handlers: SessionHandlers,
    taking: Pick<VenueSessionPorts, 'publish' | 'onStrayReply' | 'onSubscribing'>,
  ) => VenueSession;
  /** Closes what HTTP left open. */
  readonly close: () => Promise<void>;
}

export function reachVenue({ settings, vault, clock }: VenueOptions): Venue {
  const { venue, session } = settings;
  const http = new HttpClient({ connect: session.connectTimeout, reply: session.authTimeout });
  const open = venueSocket({
    url: venue.socketUrl,
    connectTimeout: session.connectTimeout,
    quote: (text) => vault.quote(text),
    wall: () => clock.wall(),
  });
  const sessionSettings = { ...session, methods: venue.methods, credentialStyle: venue.tokenStyle };
  return {
    tokens: new TokenEndpoint({ url: venue.tokenUrl, style: venue.tokenStyle, http, vault, clock }),
    rest: new Rest({ ...venue, http, vault, clock }),
    dial: (handlers, taking) => new VenueSession(sessionSettings, { open, clock, vault, ...taking }, handlers),
    close: () => http.close(),
  };
}
