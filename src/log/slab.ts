/**
 * A block of memory that holds encoded lines one after the other. Lines are written once and never moved, so a run of
 * neighbouring events is one slice: what goes to a consumer in one write, and to the journal's thread, without a copy.
 */
export class Slab {
  readonly capacity: number;
  readonly #bytes: Buffer;
  /** Offset behind each line, and the channel of each line, by position in the slab. */
  readonly #ends: number[] = [];
  readonly #channels: number[] = [];
  #firstSeq: number;
  #count = 0;
  #used = 0;

  constructor(firstSeq: number, capacity: number) {
    this.#firstSeq = firstSeq;
    this.capacity = capacity;
    // Shared, so that the journal's thread reads the lines where they are.
    this.#bytes = Buffer.from(new SharedArrayBuffer(capacity));
  }

  get firstSeq(): number {
    return this.#firstSeq;
  }

  get count(): number {
    return this.#count;
  }

  /** The sequence number behind the last line. */
  get nextSeq(): number {
    return this.#firstSeq + this.#count;
  }

  /** Bytes of lines. */
  get used(): number {
    return this.#used;
  }

  /** Forgets its lines to hold others. Nobody may be reading them any more. */
  reuse(firstSeq: number): void {
    this.#firstSeq = firstSeq;
    this.#count = 0;
    this.#used = 0;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#used + bytes <= this.capacity;
  }

  /** Appends the parts of a line one after the other. */
  append(channel: number, prefix: Uint8Array, message: Uint8Array, suffix: Uint8Array): void {
    let at = this.#used;
    this.#bytes.set(prefix, at);
    at += prefix.length;
    this.#bytes.set(message, at);
    at += message.length;
    // A call for so few bytes costs more than writing them.
    for (let index = 0; index < suffix.length; index += 1) this.#bytes[at + index] = suffix[index] ?? 0;
    at += suffix.length;
    this.#used = at;
    this.#ends[this.#count] = at;
    this.#channels[this.#count] = channel;
    this.#count += 1;
  }

  channelAt(index: number): number {
    return this.#channels[index] ?? 0;
  }

  startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  endOf(index: number): number {
    return this.#ends[index] ?? 0;
  }

  /** The bytes from one offset to another, without a copy. */
  slice(start: number, end: number): Buffer {
    return this.#bytes.subarray(start, end);
  }
}
