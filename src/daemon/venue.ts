import { BudgetedHttp } from '../adapters/budgeted-http.ts';
import { type Http, HttpClient } from '../adapters/http-client.ts';
import { Rest } from '../adapters/rest.ts';
import { RestEntrance } from '../adapters/rest-entrance.ts';
import { RfqListing } from '../adapters/rfq-listing.ts';
import { TokenEndpoint } from '../adapters/token-endpoint.ts';
import type { Vault } from '../adapters/vault.ts';
import { type SessionHandlers, VenueSession, type VenueSessionPorts } from '../adapters/venue-session.ts';
import { type OpenTransport, venueSocket } from '../adapters/venue-socket.ts';
import type { Settings } from '../config/settings.ts';
import { RequestBudget } from '../gateway/request-budget.ts';
import { tokenRequestsPerMinute } from '../machines/policies/token-times.ts';
import type { Clock } from '../protocol/clock.ts';
import { isLoopback } from '../protocol/loopback.ts';

export interface VenueOptions {
  /** As they are whenever they are asked for. Where the venue is and how it is spoken to is taken from the first. */
  readonly settings: () => Settings;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** Everything that reaches the venue, set up as the configuration says. */
export interface Venue {
  readonly tokens: TokenEndpoint;
  /** The door to the venue's REST API, for figd's own calls and for those of local programs. */
  readonly entrance: RestEntrance;
  readonly rest: Rest;
  readonly rfqs: RfqListing;
  /** The venue's limit of HTTP requests: whoever sends any asks here first. */
  readonly budget: RequestBudget;
  /** Dials a session. */
  readonly dial: (
    handlers: SessionHandlers,
    taking: Pick<VenueSessionPorts, 'publish' | 'onStrayReply' | 'onSubscribing' | 'onUnknown'>,
  ) => VenueSession;
  /** Closes what HTTP left open. */
  readonly close: () => Promise<void>;
}

/** What carries figd's words to the venue. */
export interface Wires {
  readonly http: Http;
  readonly open: OpenTransport;
}

/** The venue over the network. */
export function reachVenue(options: VenueOptions): Venue {
  return venueOver(options, networkWires(options));
}

/** What carries figd's words over the network. */
export function networkWires({ settings, vault, clock }: VenueOptions): Wires {
  const connectTimeout = () => settings().session.connectTimeout;
  const proxy = proxyOf(settings());
  return {
    http: new HttpClient(() => ({ connect: connectTimeout(), reply: settings().session.authTimeout }), proxy),
    open: venueSocket({
      url: settings().venue.socketUrl,
      connectTimeout,
      quote: (text) => vault.quote(text),
      wall: () => clock.wall(),
      proxy,
    }),
  };
}

/** The proxy on the way to the venue, if there is one: none leads to a venue on this machine. */
export function proxyOf({ network: { proxy }, venue }: Settings): URL | null {
  const hosts = [venue.tokenUrl, venue.restUrl, venue.socketUrl].map((url) => new URL(url).hostname);
  return proxy === 'off' || hosts.every(isLoopback) ? null : new URL(proxy);
}

/** The venue over whatever wires there are. */
export function venueOver({ settings, vault, clock }: VenueOptions, { http, open }: Wires): Venue {
  const { venue } = settings();
  const sessionSettings = () => ({
    ...settings().session,
    methods: venue.methods,
    credentialStyle: venue.tokenStyle,
  });
  const budget = new RequestBudget({
    limit: venue.requestsPerMinute,
    tokenRequests: tokenRequestsPerMinute,
    clock,
  });
  const entrance = new RestEntrance(venue, vault);
  const rest = new Rest({
    entrance,
    http: new BudgetedHttp({ http, budget, clock }, 'own'),
    vault,
    clock,
  });
  return {
    tokens: new TokenEndpoint({
      url: venue.tokenUrl,
      style: venue.tokenStyle,
      http: new BudgetedHttp({ http, budget, clock }, 'token'),
      vault,
      clock,
    }),
    entrance,
    rest,
    rfqs: new RfqListing({ rest, vault, clock }),
    budget,
    dial: (handlers, taking) => new VenueSession(sessionSettings, { open, clock, vault, ...taking }, handlers),
    close: () => http.close(),
  };
}
