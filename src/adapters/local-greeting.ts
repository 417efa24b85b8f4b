import { createConnection, type Socket } from 'node:net';
import { isRecord } from '../protocol/json-rpc.ts';
import { type Hello, localProtocolVersion } from '../protocol/local.ts';
import { LineSplitter } from './line-splitter.ts';
import {
  AccessDeniedError,
  ConnectionClosedError,
  LocalSocketError,
  NoAnswerError,
  NotFigdError,
  NotRunningError,
} from './local-socket-errors.ts';

/** A connection whose first line has been read. */
export interface Greeting {
  readonly path: string;
  readonly socket: Socket;
  readonly lines: LineSplitter;
  readonly hello: Hello;
}

/**
 * Connects and reads the first line; `adopt` takes over before the second can be missed.
 * @throws {LocalSocketError} as {@link LocalClient.connect} says
 */
export function greet<T>(path: string, deadlineMs: number, adopt: (greeting: Greeting) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const lines = new LineSplitter();
    const deadline = setTimeout(() => {
      const seconds = deadlineMs / 1_000;
      fail(new NoAnswerError(`${path} accepts connections but says no hello within ${seconds} s`));
    }, deadlineMs);
    const onError = (error: NodeJS.ErrnoException) => fail(connectError(path, error));
    const onClose = () => fail(new ConnectionClosedError(`${path} closed the connection without a hello`));
    const fail = (error: Error) => {
      clearTimeout(deadline);
      // The listeners stay: a socket destroyed while it connects may still report an error, which then changes nothing.
      socket.destroy();
      reject(error);
    };
    lines.onLine = (line) => {
      try {
        const hello = readHello(path, line);
        clearTimeout(deadline);
        socket.off('error', onError).off('close', onClose);
        resolve(adopt({ path, socket, lines, hello }));
      } catch (error) {
        lines.onLine = () => undefined;
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    };
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    socket.on('error', onError).on('close', onClose);
  });
}

function readHello(path: string, line: Buffer): Hello {
  const message = parseLine(line);
  const params = message?.['params'];
  if (message?.['method'] === 'bye' && isRecord(params)) {
    throw new ConnectionClosedError(`the daemon at ${path} turned us away: ${String(params['reason'])}`);
  }
  if (message?.['method'] !== 'hello' || !isRecord(params)) {
    throw new NotFigdError(`${path} is not a socket of figd: its first line is ${excerpt(line)}`);
  }
  if (params['protocol'] !== localProtocolVersion) {
    const versions = `protocol ${String(params['protocol'])}, this command ${localProtocolVersion}`;
    throw new NotFigdError(`the daemon at ${path} speaks ${versions}; use the figd it was started from`);
  }
  return params as unknown as Hello;
}

function connectError(path: string, error: NodeJS.ErrnoException): Error {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return new NotRunningError(path, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new AccessDeniedError(path, { cause: error });
    case 'EAGAIN': // The queue of connections it has not accepted is full.
      return new NoAnswerError(`${path} is full of connections that nobody accepts`, { cause: error });
    default:
      return new LocalSocketError(`cannot connect to ${path}: ${error.message}`, { cause: error });
  }
}

/** The object in a line; undefined where there is none. */
export function parseLine(line: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The beginning of a line that cannot be used. */
export function excerpt(line: Buffer): string {
  return JSON.stringify(line.toString('utf8', 0, 60));
}
