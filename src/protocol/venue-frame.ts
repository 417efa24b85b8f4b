import { isChannelName } from './channel-names.ts';
import { FrameScan } from './frame-scan.ts';
import { isRecord, type RpcErrorObject } from './json-rpc.ts';
import { type FrameEncoding, unroutedChannel } from './local.ts';

/** A frame to be published, in a form that keeps a line whole and loses nothing. */
export interface EventFrame {
  readonly kind: 'event';
  readonly channel: string;
  /** Valid JSON in UTF-8 without a line break. */
  readonly message: Uint8Array;
  /** How `message` carries the frame; absent when it is the frame itself, byte for byte. */
  readonly encoding?: FrameEncoding;
}

/** A frame that answers a call, if the call is pending. */
export interface ReplyFrame {
  readonly kind: 'reply';
  /** Null in an error about a request whose id the venue could not read. */
  readonly id: string | number | null;
  readonly result: unknown;
  readonly error: RpcErrorObject | null;
  /** What to publish when no such call is pending, but the frame names a channel or no call. */
  readonly otherwise: EventFrame | null;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
/** Keeps a byte order mark: one in front of JSON makes it no JSON, and swallowing it would lose bytes. */
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** It holds a copy of one frame at a time: frames are read one after the other, whichever session they come from. */
const scan = new FrameScan();

/**
 * Reads a frame from the venue: a reply to a call, or an event and its channel.
 *
 * Where the channel stands is not documented, so it is looked for in `params.channel`, `channel`, a `method` that is a
 * known channel, `params.subscription` and `result.channel`, in that order. A frame without any is an event on
 * {@link unroutedChannel}: nothing received is ever dropped.
 * @param isKnownChannel whether the daemon subscribes to a channel of that name
 */
export function readFrame(bytes: Uint8Array, isKnownChannel: (name: string) => boolean): EventFrame | ReplyFrame {
  const channel = scan.channelOf(bytes, isKnownChannel);
  if (channel === null) return parseFrame(bytes, isKnownChannel);
  return { kind: 'event', channel, message: scan.hasLineBreak ? withoutBreaks(bytes) : bytes };
}

/** Reads a frame whatever it is, as {@link readFrame} does where a look at the bytes is not enough. */
export function parseFrame(bytes: Uint8Array, isKnownChannel: (name: string) => boolean): EventFrame | ReplyFrame {
  const text = decode(bytes);
  if (text === null) return unreadable(Buffer.from(bytes).toString('base64'), 'base64');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable(text, 'text');
  }
  if (!isRecord(value)) return { kind: 'event', channel: unroutedChannel, message: onOneLine(bytes) };
  const channel = findChannel(value, isKnownChannel);
  const { id } = value;
  const isId = typeof id === 'string' || typeof id === 'number' || (id === null && isRecord(value['error']));
  if (!(isId && ('result' in value || 'error' in value)))
    return { kind: 'event', channel: channel ?? unroutedChannel, message: onOneLine(bytes) };
  const event: EventFrame = { kind: 'event', channel: channel ?? unroutedChannel, message: onOneLine(bytes) };
  return {
    kind: 'reply',
    id,
    result: value['result'],
    error: isSuccess(value) ? null : readError(value['error']),
    otherwise: channel === null && id !== null ? null : event,
  };
}

function unreadable(content: string, encoding: FrameEncoding): EventFrame {
  return { kind: 'event', channel: unroutedChannel, message: Buffer.from(JSON.stringify(content)), encoding };
}

/** The text, or null where the bytes are not UTF-8. */
function decode(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  // The quick decoder puts U+FFFD for what is not UTF-8; a frame may also hold one of its own.
  if (!text.includes('\ufffd')) return text;
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null;
  }
}

function findChannel(frame: Record<string, unknown>, isKnownChannel: (name: string) => boolean): string | null {
  const params = isRecord(frame['params']) ? frame['params'] : {};
  const result = isRecord(frame['result']) ? frame['result'] : {};
  const { method } = frame;
  const candidates = [
    params['channel'],
    frame['channel'],
    typeof method === 'string' && isKnownChannel(method) ? method : undefined,
    params['subscription'],
    result['channel'],
  ];
  for (const candidate of candidates) {
    if (typeof candidate === 'string' && isChannelName(candidate)) return candidate;
  }
  return null;
}

/** Whether the error beside a result says nothing, as of a server that fills in every field. */
function isSuccess({ result, error }: Record<string, unknown>): boolean {
  if (result === undefined || result === null) return false;
  return isRecord(error) ? Object.keys(error).length === 0 : error === '' || error === false || error === 0;
}

function readError(error: unknown): RpcErrorObject | null {
  if (error === undefined || error === null) return null;
  // String() of an array recurses, and how deep it is nested is up to the sender.
  if (Array.isArray(error)) return { code: 0, message: 'no message' };
  if (!isRecord(error)) return { code: 0, message: String(error) };
  const { code, message, data } = error;
  return {
    code: typeof code === 'number' ? code : 0,
    message: typeof message === 'string' ? message : 'no message',
    ...(data === undefined ? {} : { data }),
  };
}

/**
 * In valid JSON a line break can only stand between tokens, where a space means the same. Readers that follow
 * universal newlines (Python's text files) end a line at a carriage return too.
 */
export function onOneLine(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(lineFeed) && !bytes.includes(carriageReturn)) return bytes;
  return withoutBreaks(bytes);
}

function withoutBreaks(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let at = 0; at < copy.length; at += 1) {
    if (copy[at] === lineFeed || copy[at] === carriageReturn) copy[at] = space;
  }
  return copy;
}
