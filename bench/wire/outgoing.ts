import type { Publishing } from './protocols.ts';

const chunkBytes = 131_072;

/** Gathers what is published in a turn of the event loop, and writes it at once when the turn is over. */
export class Outgoing {
  readonly #publishing: Publishing;
  readonly #write: (bytes: Buffer) => void;
  /** Messages have few different lengths. */
  readonly #headers = new Map<number, Buffer>();
  #chunk = Buffer.allocUnsafeSlow(chunkBytes);
  #used = 0;
  #flushed = 0;
  #isScheduled = false;

  constructor(publishing: Publishing, write: (bytes: Buffer) => void) {
    this.#publishing = publishing;
    this.#write = write;
  }

  publish(message: Buffer): void {
    const { after } = this.#publishing;
    const header = this.#headerFor(message.length);
    const bytes = header.length + message.length + after.length;
    if (this.#used + bytes > this.#chunk.length) this.#nextChunk(bytes);
    const at = this.#used;
    this.#chunk.set(header, at);
    this.#chunk.set(message, at + header.length);
    this.#chunk.set(after, at + header.length + message.length);
    this.#used = at + bytes;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Writes what has been gathered. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#used === this.#flushed) return;
    this.#write(this.#chunk.subarray(this.#flushed, this.#used));
    this.#flushed = this.#used;
  }

  /** The old one belongs to the socket until it has gone out. */
  #nextChunk(bytes: number): void {
    this.flush();
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes));
    this.#used = 0;
    this.#flushed = 0;
  }

  #headerFor(length: number): Buffer {
    const known = this.#headers.get(length);
    if (known !== undefined) return known;
    const header = this.#publishing.before(length);
    this.#headers.set(length, header);
    return header;
  }
}
