import { isRecord, RpcError, type RpcId, rpcErrorCode } from './json-rpc.ts';
import type { From, SubscribeParams } from './local.ts';

/** A request line of a local client, read and checked as far as JSON-RPC goes. */
export interface LocalRequest {
  /** Absent in a notification, which gets no answer. */
  readonly id: RpcId | undefined;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const mostPatterns = 256;
const longestPattern = 256;
const dayMs = 86_400_000;

/** Why a line is no request, with the id to answer under (null where none can be read). */
export class BadRequest extends RpcError {
  readonly id: RpcId;

  constructor(id: RpcId, code: number, message: string) {
    super(code, message);
    this.id = id;
  }
}

/**
 * Reads one request line.
 * @throws {BadRequest} −32700 where it is not JSON, −32600 where it is no JSON-RPC request
 */
export function parseRequest(line: string): LocalRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadRequest(null, rpcErrorCode.parseError, 'the line is not JSON');
  }
  if (Array.isArray(value))
    throw new BadRequest(null, rpcErrorCode.invalidRequest, 'batches are not supported: one request a line');
  if (!isRecord(value)) throw new BadRequest(null, rpcErrorCode.invalidRequest, 'a request is a JSON object');
  const { id, method, params } = value;
  const validId = id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
  if (!validId) throw new BadRequest(null, rpcErrorCode.invalidRequest, 'id is a string, a number or null');
  if (typeof method !== 'string') {
    throw new BadRequest(id ?? null, rpcErrorCode.invalidRequest, 'method is missing or not a string');
  }
  if (params !== undefined && !isRecord(params)) {
    throw new BadRequest(id ?? null, rpcErrorCode.invalidParams, 'params is an object');
  }
  return { id, method, params: params ?? {} };
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
  return channels;
}

function parseFrom(from: unknown): From {
  if (from === 'now' || from === 'oldest') return from;
  if (!isRecord(from)) throw invalid('from is "now", "oldest", {"epoch", "seq"} or {"since"}');
  const { epoch, seq, since } = from;
  if (since !== undefined && epoch === undefined && seq === undefined) {
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
