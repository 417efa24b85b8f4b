import { checkJournalPlace } from '../adapters/journal/journal-place.ts';
import { prepareDirectory } from '../adapters/local-sockets.ts';
import { venueSocket } from '../adapters/venue-socket.ts';
import type { MethodNames, Settings } from '../config/settings.ts';
import { formatSize } from '../config/units.ts';
import { advice, type Failure } from '../protocol/failure.ts';
import { rpcErrorCode } from '../protocol/json-rpc.ts';
import { adviseOnAddress } from './preflight/address-advice.ts';
import { describeSkew } from './preflight/clock-skew.ts';
import { makeFirstCall } from './preflight/first-call.ts';
import { dial, type Link } from './preflight/link.ts';
import { checkCertificates, resolveHosts, resolveProxy } from './preflight/network.ts';
import { adviseOnWay } from './preflight/network-advice.ts';
import { adviseOnSeparateHosts, type UrlKey } from './preflight/profile-advice.ts';
import { adviseOnSocket } from './preflight/socket-advice.ts';
import { attempt, type Explain, StepFailure, type StepOutcome, skipped } from './preflight/step.ts';
import { adviseOnToken, remarkOnGrant } from './preflight/token-advice.ts';
import { WatchedHttp } from './preflight/watched-http.ts';
import { networkWires, proxyOf, type VenueOptions, venueOver } from './venue.ts';

/** Signed requests carry unix seconds; a clock further off than this may be refused. */
const worryingOffsetMs = 5_000;

const bytesPerGiB = 1_024 ** 3;

/**
 * Walks the way from here to live events, one step at a time, and tells of each how it went. Steps that need one that
 * failed are skipped. Where the venue refuses, a few more requests find out why.
 */
export async function* preflight(options: VenueOptions): AsyncGenerator<StepOutcome> {
  const { vault, clock } = options;
  const settings = options.settings();
  const { venue, session } = settings;
  const proxy = proxyOf(settings);
  const wires = networkWires(options);
  const http = new WatchedHttp(wires.http, clock);
  const reached = venueOver(options, { ...wires, http });
  const failed = new Set<string>();
  const step = async (
    name: string,
    needs: readonly string[],
    run: () => Promise<string>,
    explain: Explain = () => undefined,
  ): Promise<StepOutcome> => {
    const missing = needs.find((need) => failed.has(need));
    const outcome = missing === undefined ? await attempt(name, run, explain) : skipped(name, missing);
    if (outcome.result !== 'ok') failed.add(name);
    return outcome;
  };
  /** What goes wrong at any of the venue's addresses, before what a step knows itself. */
  const at =
    (key: UrlKey, explain: Explain = () => undefined): Explain =>
    (found) => {
      if (found.code === 'address-refused') return adviseOnAddress(venue[key], session.connectTimeout, proxy);
      if (found.code !== 'connection-refused') return explain(found);
      return `Nothing listens there, or a firewall forbids it: check venue.${key}, or wait for the venue.`;
    };
  const open = (url: string) =>
    venueSocket({
      url,
      connectTimeout: () => session.connectTimeout,
      quote: (text) => vault.quote(text),
      wall: clock.wall,
      proxy,
    });
  const urls = [venue.tokenUrl, venue.restUrl, venue.socketUrl];
  let link: Link | undefined;
  try {
    yield await step('local paths', [], async () => {
      await prepareDirectory(settings.local.directory);
      return settings.local.directory;
    });
    if (settings.journal.enabled) yield await step('journal', [], () => checkJournal(settings.journal));
    yield await step(
      'dns',
      [],
      () => (proxy === null ? resolveHosts(urls) : resolveProxy(proxy)),
      ({ code }) => adviseOnSeparateHosts(venue) ?? adviseOnWay(code, settings.network, process.env),
    );
    yield await step(
      'tls',
      ['dns'],
      () => checkCertificates(urls, session.connectTimeout, proxy),
      ({ code }) => adviseOnWay(code, settings.network, process.env),
    );
    yield await step(
      'token',
      ['dns', 'tls'],
      async () => {
        const { lifeMs } = await reached.tokens.request(
          { generation: 1, kind: 'credentials' },
          new AbortController().signal,
        );
        return `granted for ${lifeMs / 1_000} s${remarkOnGrant(venue, http.lastAnswer)}`;
      },
      at('tokenUrl', (found) => adviseOnToken(venue, found, http.lastAnswer, http)),
    );
    yield await step('first REST call', ['token'], () => makeFirstCall(options, reached, http), at('restUrl'));
    const needed = session.authenticateWith === 'token' ? ['dns', 'tls', 'token'] : ['dns', 'tls'];
    yield await step(
      'socket',
      needed,
      async () => {
        link = dial(reached);
        await link.opened;
        return `connected to ${venue.socketUrl}`;
      },
      at('socketUrl', ({ code }) => adviseOnSocket(venue, code, open)),
    );
    yield await step(
      'socket auth',
      ['socket'],
      async () => {
        await link?.session.authenticate();
        return `authenticated with the ${session.authenticateWith}`;
      },
      at('socketUrl', adviseOnMethod('auth')),
    );
    yield await step(
      'heartbeat',
      ['socket auth'],
      async () => {
        const ack = await link?.session.heartbeat();
        return describeHeartbeat(ack?.rttMs ?? 0, ack?.clockOffsetMs ?? null);
      },
      adviseOnMethod('heartbeat'),
    );
    yield await step(
      'subscriptions',
      ['socket auth'],
      async () => {
        const { confirmed = [], refused = [] } = (await link?.session.subscribe(session.channels)) ?? {};
        if (refused.length > 0) {
          throw new StepFailure(`the venue refuses ${refused.join(', ')}`, advice('channels-refused'));
        }
        return `confirmed: ${confirmed.join(', ')}`;
      },
      adviseOnMethod('subscribe'),
    );
  } finally {
    await link?.close();
    await reached.close();
  }
}

/** The names of methods are settings, as the venue's dialects may differ in them. */
function adviseOnMethod(name: keyof MethodNames): Explain {
  const unknown = `error ${rpcErrorCode.methodNotFound},`;
  return ({ message }: Failure) =>
    message.includes(unknown)
      ? `The venue knows no such method: if its documentation has another name for it, set venue.methods.${name}.`
      : undefined;
}

async function checkJournal({ directory, retainBytes }: Settings['journal']): Promise<string> {
  const { free, used } = await checkJournalPlace(directory);
  const told = `${directory}, ${(free / bytesPerGiB).toFixed(1)} GiB free`;
  if (free + used > retainBytes) return told;
  const wanted = formatSize(retainBytes);
  throw new StepFailure(`${told}, and up to ${wanted} may be kept`, 'Make room, or lower journal.retainBytes.');
}

function describeHeartbeat(rttMs: number, offsetMs: number | null): string {
  const took = `answered in ${rttMs.toFixed(1)} ms`;
  if (offsetMs === null) return `${took}, without the venue's time`;
  if (Math.abs(offsetMs) < worryingOffsetMs) return `${took}, clocks ${Math.abs(offsetMs).toFixed(0)} ms apart`;
  throw new StepFailure(
    `${took}; ${describeSkew(offsetMs)}`,
    'Set the clock of this host (NTP): signed requests may be refused.',
  );
}
