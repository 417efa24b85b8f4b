import { connect, type Socket } from 'node:net';
import { isRecord } from '../../../src/protocol/json-rpc.ts';
import { until, within } from '../../support/until.ts';

export type Message = Record<string, unknown>;

/** An error of figd's own, as its client reads it. */
export const ownError = (code: number, message: unknown) => ({ code, message, data: { figd: true } });

/** A client that knows lines and no more, so that what the daemon writes is seen as it is. */
export class LineClient {
  readonly socket: Socket;
  readonly lines: string[] = [];
  /** Bytes behind the last line break. */
  rest = '';
  ended = false;
  closed = false;
  #lastId = 0;

  private constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (chunk: Buffer) => this.#receive(chunk.toString('latin1')));
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', () => undefined);
  }

  /** Connects and waits for `hello`. */
  static async open(path: string): Promise<LineClient> {
    const client = new LineClient(path);
    await client.line(0);
    return client;
  }

  #receive(text: string): void {
    const parts = (this.rest + text).split('\n');
    this.rest = parts.pop() ?? '';
    for (const part of parts) this.lines.push(Buffer.from(part, 'latin1').toString('utf8'));
  }

  get messages(): Message[] {
    return this.lines.map(parse);
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** The line of that index, once it is there. */
  line(index: number): Promise<string> {
    return until(`line ${index} of ${this.lines.length}`, () => {
      const line = this.lines[index];
      if (line === undefined && this.closed) throw new Error(`the connection ended before line ${index}`);
      return line;
    });
  }

  /** The first message that fits, once it is there. */
  message(what: string, fits: (message: Message) => boolean): Promise<Message> {
    let seen = 0;
    return until(what, () => {
      for (; seen < this.lines.length; seen += 1) {
        const message = parse(this.lines[seen] ?? '');
        if (fits(message)) return message;
      }
      return undefined;
    });
  }

  notification(method: string): Promise<Message> {
    return this.message(method, (message) => message['method'] === method);
  }

  /** Sends a request and returns its whole reply. */
  async call(method: string, params?: unknown): Promise<Message> {
    this.#lastId += 1;
    const id = `call-${this.#lastId}`;
    this.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) })}\n`);
    return this.message(`the reply to ${method}`, (message) => message['id'] === id);
  }

  /** The parameters of the notifications of that name that have come. */
  params(method: string): Message[] {
    return this.messages.flatMap((message) =>
      message['method'] === method && isRecord(message['params']) ? [message['params']] : [],
    );
  }

  seqs(): unknown[] {
    return this.params('event').map(({ seq }) => seq);
  }

  whenClosed(): Promise<unknown> {
    return until('the connection to be closed', () => this.closed);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.destroy();
    await within('the client to close', closed);
  }
}

function parse(line: string): Message {
  const message: unknown = JSON.parse(line);
  if (!isRecord(message)) throw new Error(`not an object: ${line}`);
  return message;
}
