import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { networkFailure, statusFailure } from '../adapters/http-failures.ts';
import { checkJournalPlace } from '../adapters/journal/journal-place.ts';
import { prepareDirectory } from '../adapters/local-sockets.ts';
import type { Settings } from '../config/settings.ts';
import { formatSize } from '../config/units.ts';
import { advice, FailureError, failureOf } from '../protocol/failure.ts';
import { isRecord, parseJson } from '../protocol/json-rpc.ts';
import { reachVenue, type Venue, type VenueOptions } from './venue.ts';

/** The outcome of one step: what was found, or what is wrong and what to do. */
export interface StepOutcome {
  readonly step: string;
  readonly result: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  readonly advice?: string;
}

/** The venue's documented first call: it needs the role of a trader. */
const firstCall = { method: 'GET', path: '/v1/account/exchange-credentials' };
/** Signed requests carry unix seconds; a clock further off than this may be refused. */
const worryingOffsetMs = 5_000;

const bytesPerGiB = 1_024 ** 3;

class StepFailure extends Error {
  readonly advice: string;

  constructor(message: string, what: string) {
    super(message);
    this.advice = what;
  }
}

/**
 * Walks the way from here to live events, one step at a time, and tells of each how it went. Steps that need one that
 * failed are skipped.
 */
export async function* preflight(options: VenueOptions): AsyncGenerator<StepOutcome> {
  const settings = options.settings();
  const { venue, session } = settings;
  const reached = reachVenue(options);
  const failed = new Set<string>();
  const step = async (name: string, needs: readonly string[], run: () => Promise<string>): Promise<StepOutcome> => {
    const missing = needs.find((need) => failed.has(need));
    const outcome = missing === undefined ? await attempt(name, run) : skipped(name, missing);
    if (outcome.result !== 'ok') failed.add(name);
    return outcome;
  };
  let link: Link | undefined;
  try {
    yield await step('local paths', [], async () => {
      await prepareDirectory(settings.local.directory);
      return settings.local.directory;
    });
    if (settings.journal.enabled) yield await step('journal', [], () => checkJournal(settings.journal));
    yield await step('dns', [], () => resolveHosts([venue.tokenUrl, venue.restUrl, venue.socketUrl]));
    yield await step('tls', ['dns'], () =>
      checkCertificates([venue.tokenUrl, venue.restUrl, venue.socketUrl], session.connectTimeout),
    );
    yield await step('token', ['dns', 'tls'], async () => {
      const { lifeMs } = await reached.tokens.request(
        { generation: 1, kind: 'credentials' },
        new AbortController().signal,
      );
      return `granted for ${lifeMs / 1_000} s`;
    });
    yield await step('first REST call', ['token'], () => makeFirstCall(options, reached));
    const needed = session.authenticateWith === 'token' ? ['dns', 'tls', 'token'] : ['dns', 'tls'];
    yield await step('socket', needed, async () => {
      link = dial(reached);
      await link.opened;
      return `connected to ${venue.socketUrl}`;
    });
    yield await step('socket auth', ['socket'], async () => {
      await link?.session.authenticate();
      return `authenticated with the ${session.authenticateWith}`;
    });
    yield await step('heartbeat', ['socket auth'], async () => {
      const ack = await link?.session.heartbeat();
      return describeHeartbeat(ack?.rttMs ?? 0, ack?.clockOffsetMs ?? null);
    });
    yield await step('subscriptions', ['socket auth'], async () => {
      const { confirmed = [], refused = [] } = (await link?.session.subscribe(session.channels)) ?? {};
      if (refused.length > 0) {
        throw new StepFailure(`the venue refuses ${refused.join(', ')}`, advice('channels-refused'));
      }
      return `confirmed: ${confirmed.join(', ')}`;
    });
  } finally {
    await link?.close();
    await reached.close();
  }
}

async function attempt(step: string, run: () => Promise<string>): Promise<StepOutcome> {
  try {
    return { step, result: 'ok', detail: await run() };
  } catch (error) {
    if (error instanceof StepFailure) return { step, result: 'failed', detail: error.message, advice: error.advice };
    if (!(error instanceof FailureError) && error instanceof Error) {
      return { step, result: 'failed', detail: error.message };
    }
    const found = failureOf(error);
    return { step, result: 'failed', detail: found.message, advice: advice(found.code) };
  }
}

function skipped(step: string, missing: string): StepOutcome {
  return { step, result: 'skipped', detail: `needs ${missing}` };
}

async function resolveHosts(urls: readonly string[]): Promise<string> {
  const found: string[] = [];
  for (const host of new Set(urls.map(hostOf))) {
    if (isIP(host) !== 0) continue;
    try {
      const addresses = await lookup(host, { all: true });
      found.push(`${host} is ${addresses.map(({ address }) => address).join(', ')}`);
    } catch (error) {
      throw new FailureError(networkFailure(`resolving ${host}`, error));
    }
  }
  return found.length === 0 ? 'addresses are given, nothing to resolve' : found.join('; ');
}

async function checkCertificates(urls: readonly string[], timeoutMs: number): Promise<string> {
  const secure = urls.map((url) => new URL(url)).filter(({ protocol }) => protocol === 'https:' || protocol === 'wss:');
  const found: string[] = [];
  for (const host of new Set(secure.map((url) => url.host))) found.push(await certificateOf(host, timeoutMs));
  return found.length === 0 ? 'plain connections on the loopback, no TLS' : found.join('; ');
}

function certificateOf(hostAndPort: string, timeoutMs: number): Promise<string> {
  const { hostname, port } = new URL(`https://${hostAndPort}`);
  const what = `TLS with ${hostname}`;
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown) => {
      socket.destroy();
      reject(new FailureError(networkFailure(what, error)));
    };
    const socket = connectTls({ host: hostname, port: port === '' ? 443 : Number(port), servername: hostname }, () => {
      const { valid_to: validTo } = socket.getPeerCertificate();
      socket.end();
      resolve(`${hostname} valid to ${validTo}`);
    });
    socket.setTimeout(timeoutMs, () => refuse(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
    socket.on('error', refuse);
  });
}

async function makeFirstCall({ vault, clock }: VenueOptions, { rest }: Venue): Promise<string> {
  const answer = await rest.call(firstCall);
  const what = `${firstCall.method} ${firstCall.path}`;
  if (answer.status < 200 || answer.status > 299) {
    throw new FailureError(statusFailure(what, answer, (text) => vault.quote(text), clock.wall()));
  }
  return `${what}: HTTP ${answer.status}, ${countCredentials(answer.body)}`;
}

/** The answer holds secrets of other venues: it is counted and forgotten. */
function countCredentials(body: string): string {
  const value = parseJson(body);
  if (value === null) return 'not JSON';
  const list = isRecord(value) ? value['data'] : value;
  return Array.isArray(list) ? `${list.length} exchange credentials` : 'in an unknown form';
}

async function checkJournal({ directory, retainBytes }: Settings['journal']): Promise<string> {
  const { free, used } = await checkJournalPlace(directory);
  const told = `${directory}, ${(free / bytesPerGiB).toFixed(1)} GiB free`;
  if (free + used > retainBytes) return told;
  const wanted = formatSize(retainBytes);
  throw new StepFailure(`${told}, and up to ${wanted} may be kept`, 'Make room, or lower journal.retainBytes.');
}

interface Link {
  readonly session: ReturnType<Venue['dial']>;
  readonly opened: Promise<void>;
  readonly close: () => Promise<void>;
}

const closeDeadlineMs = 1_000;

function dial(venue: Venue): Link {
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const session = venue.dial(
    {
      opened: () => opened.resolve(),
      closed: (found) => {
        opened.reject(new FailureError(found));
        closed.resolve();
      },
    },
    { publish: () => undefined, onStrayReply: () => undefined, onSubscribing: () => undefined },
  );
  return {
    session,
    opened: opened.promise,
    close: async () => {
      session.hangUp();
      const deadline = setTimeout(closed.resolve, closeDeadlineMs);
      await closed.promise;
      clearTimeout(deadline);
      session.dispose();
    },
  };
}

function describeHeartbeat(rttMs: number, offsetMs: number | null): string {
  const took = `answered in ${rttMs.toFixed(1)} ms`;
  if (offsetMs === null) return `${took}, without the venue's time`;
  const offset = `${took}, clocks ${Math.abs(offsetMs).toFixed(0)} ms apart`;
  if (Math.abs(offsetMs) < worryingOffsetMs) return offset;
  throw new StepFailure(offset, 'Set the clock of this host (NTP): signed requests may be refused.');
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}
