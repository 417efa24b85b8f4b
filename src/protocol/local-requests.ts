import { isRecord, RpcError, type RpcId, rpcErrorCode } from './json-rpc.ts';
import type { From, SubscribeParams } from './local.ts';
import { memberBytes } from './raw-json.ts';

/** A request line of a local client, read and checked as far as JSON-RPC goes. */
export interface LocalRequest {
  /** Absent in a notification, which gets no answer. */
  readonly id: RpcId | undefined;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const mostPatterns = 256;
const longestPattern = 256;
/**
 * A pattern is tried on each channel, and with each star once more from where the last one ended. 256 patterns full of
 * stars cost 0.8 s on the 1,024 channels there may be; with these, 10 ms.
 */
const mostStars = 256;
/** An id is echoed, so whoever sends a long one has us write as much. */
const longestId = 1_024;
/**
 * More than any request needs (`subscribe` with all its patterns has 265). A line may be long for one long text, such as
 * the body of a REST call; a mebibyte of empty arrays, objects or keys would take 0.1 s to parse.
 */
const mostValues = 1_024;
const longestMethod = 256;
const dayMs = 86_400_000;

/** What `rest` is asked for. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly data: string | undefined;
}

/** What `call` is asked for. */
export interface CallRequest {
  readonly method: string;
  /** The parameters as JSON, byte for byte as they came. */
  readonly params: string;
  /** How long the caller waits, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Why a line is no request, with the id to answer under (null where none can be read). */
export class BadRequest extends RpcError {
  readonly id: RpcId;

  constructor(id: RpcId, code: number, message: string) {
    super(code, message);
    this.id = id;
  }
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads one request line.
 * @param line without its line feed
 * @throws {BadRequest} −32700 where it is not UTF-8 or not JSON, −32600 where it is no JSON-RPC request
 */
export function parseRequest(line: Uint8Array): LocalRequest {
  if (holdsManyValues(line)) {
    throw new BadRequest(null, rpcErrorCode.invalidRequest, `a request holds ${mostValues} values at most`);
  }
  let text: string;
  try {
    text = strictDecoder.decode(line);
  } catch {
    throw new BadRequest(null, rpcErrorCode.parseError, 'the line is not UTF-8');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadRequest(null, rpcErrorCode.parseError, 'the line is not JSON');
  }
  if (Array.isArray(value))
    throw new BadRequest(null, rpcErrorCode.invalidRequest, 'batches are not supported: one request a line');
  if (!isRecord(value)) throw new BadRequest(null, rpcErrorCode.invalidRequest, 'a request is a JSON object');
  const { id, method, params } = value;
  if (!isId(id)) throw new BadRequest(null, rpcErrorCode.invalidRequest, 'id is a string, a number or null');
  const unfit = unfitId(id);
  if (unfit !== null) throw new BadRequest(null, rpcErrorCode.invalidRequest, unfit);
  if (typeof method !== 'string') {
    throw new BadRequest(id ?? null, rpcErrorCode.invalidRequest, 'method is missing or not a string');
  }
  if (params !== undefined && !isRecord(params)) {
    throw new BadRequest(id ?? null, rpcErrorCode.invalidParams, 'params is an object');
  }
  return { id, method, params: params ?? {} };
}

function isId(id: unknown): id is RpcId | undefined {
  return id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
}

/** Why an id cannot be answered under: it would not come back as it was sent, or only at a price. */
function unfitId(id: RpcId | undefined): string | null {
  if (typeof id === 'string' && id.length > longestId) return `an id has ${longestId} characters at most`;
  if (typeof id === 'number' && Math.abs(id) > Number.MAX_SAFE_INTEGER) {
    return 'a number as id is not beyond 2^53; write a larger one as text';
  }
  return null;
}

const quote = 0x22;
const backslash = 0x5c;
const separators = Array.from(',:[{', (character) => character.charCodeAt(0));

/** Whether so much stands in a line that reading it would take long: texts, and what stands before each value. */
function holdsManyValues(line: Uint8Array): boolean {
  let found = 0;
  for (let at = 0; at < line.length && found <= 2 * mostValues; at += 1) {
    const byte = line[at] ?? 0;
    if (byte === quote) at = textEnd(line, at + 1);
    if (byte === quote || separators.includes(byte)) found += 1;
  }
  return found > 2 * mostValues;
}

/** Where the text has its closing quote whose first character is at `start`. */
function textEnd(line: Uint8Array, start: number): number {
  const first = line.indexOf(quote, start);
  // Long texts are mostly without escapes, and then found in a twentieth of the time.
  if (first === -1 || line[first - 1] !== backslash) return first === -1 ? line.length : first;
  for (let at = start; at < line.length; at += 1) {
    if (line[at] === quote) return at;
    if (line[at] === backslash) at += 1;
  }
  return line.length;
}

/**
 * Checks the parameters of `subscribe`.
 * @throws {RpcError} −32602, naming the parameter
 */
export function parseSubscribe(params: Readonly<Record<string, unknown>>): SubscribeParams {
  const { channels, from, ticks } = params;
  refuseOthers('subscribe', params, ['channels', 'from', 'ticks']);
  if (ticks !== undefined && typeof ticks !== 'boolean') throw invalid('ticks is true or false');
  return {
    ...(channels === undefined ? {} : { channels: parseChannels(channels) }),
    ...(from === undefined ? {} : { from: parseFrom(from) }),
    ...(ticks === undefined ? {} : { ticks }),
  };
}

/**
 * Checks the parameters of `outages`.
 * @returns `since`, in unix milliseconds; a day before `now` where it is absent
 * @throws {RpcError} −32602, naming the parameter
 */
export function parseOutages(params: Readonly<Record<string, unknown>>, now: number): number {
  const { since } = params;
  refuseOthers('outages', params, ['since']);
  if (since === undefined) return now - dayMs;
  if (typeof since !== 'number' || !Number.isFinite(since)) throw invalid('since is a number of unix milliseconds');
  return since;
}

/**
 * Checks the parameters of `call`.
 * @param line the request they came in
 * @throws {RpcError} −32602, naming the parameter
 */
export function parseCall(asked: Readonly<Record<string, unknown>>, line: Buffer): CallRequest {
  const { method, params, timeoutMs } = asked;
  refuseOthers('call', asked, ['method', 'params', 'timeoutMs']);
  if (typeof method !== 'string' || method.length === 0 || method.length > longestMethod) {
    throw invalid(`method is the name of a method of the venue, of 1 to ${longestMethod} characters`);
  }
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    throw invalid('params is an object or an array');
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0)) {
    throw invalid('timeoutMs is a number of milliseconds above 0');
  }
  const own = params === undefined ? undefined : memberBytes(memberBytes(line, 'params') ?? line, 'params');
  return { method, params: own?.toString('utf8') ?? '{}', ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

/** Checks the parameters of `rest`. @throws {RpcError} −32602, naming the parameter */
export function parseRest(asked: Readonly<Record<string, unknown>>): RestRequest {
  const { method, path, data } = asked;
  refuseOthers('rest', asked, ['method', 'path', 'data']);
  if (typeof method !== 'string') throw invalid('method is GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS');
  if (typeof path !== 'string') throw invalid('path begins with one /, such as /v1/rfq?limit=10');
  if (data !== undefined && typeof data !== 'string') throw invalid('data is the body, as a string');
  return { method: method.toUpperCase(), path, data };
}

/** A method that takes no parameters was given some. @throws {RpcError} −32602, naming the first */
export function refuseAll(method: string, params: Readonly<Record<string, unknown>>): void {
  const [name] = Object.keys(params);
  if (name !== undefined)
    throw invalid(`${JSON.stringify(name.slice(0, longestPattern))}: ${method} takes no parameters`);
}

function refuseOthers(method: string, params: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  for (const key of Object.keys(params)) {
    if (known.includes(key)) continue;
    const name = JSON.stringify(key.slice(0, longestPattern));
    throw invalid(`${name} is not a parameter of ${method} (${known.join(', ')})`);
  }
}

function parseChannels(channels: unknown): readonly string[] {
  if (!Array.isArray(channels) || channels.length === 0 || channels.length > mostPatterns) {
    throw invalid(`channels is an array of 1 to ${mostPatterns} names or patterns such as "rfq.*"`);
  }
  for (const pattern of channels) {
    if (typeof pattern !== 'string' || pattern.length === 0 || pattern.length > longestPattern) {
      throw invalid(`each of channels is a string of 1 to ${longestPattern} characters`);
    }
  }
  const stars = channels.reduce((sum: number, pattern: string) => sum + pattern.split('*').length - 1, 0);
  if (stars > mostStars) throw invalid(`channels has ${mostStars} stars at most, in all patterns together`);
  return channels;
}

function parseFrom(from: unknown): From {
  if (from === 'now' || from === 'oldest') return from;
  if (!isRecord(from)) throw invalid('from is "now", "oldest", {"epoch", "seq"} or {"since"}');
  const { epoch, seq, since } = from;
  refuseOthers('from', from, since === undefined ? ['epoch', 'seq'] : ['since']);
  if (since !== undefined) {
    if (typeof since !== 'number' || !Number.isFinite(since))
      throw invalid('from.since is a number of unix milliseconds');
    return { since };
  }
  if (typeof epoch !== 'string') throw invalid('from.epoch is a string, as hello tells it');
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0)
    throw invalid('from.seq is a whole number, the first one wanted');
  return { epoch, seq };
}

function invalid(message: string): RpcError {
  return new RpcError(rpcErrorCode.invalidParams, message);
}
