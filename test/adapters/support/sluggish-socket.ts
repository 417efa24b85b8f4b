import type { Socket } from 'node:net';
import { Writable } from 'node:stream';

/**
 * A socket whose other end reads when a test says so. As the kernel does with what it could not take at once, it looks at
 * the bytes only then: memory that was written over meanwhile is noticed.
 */
export class SluggishSocket extends Writable {
  text = '';
  isStalled = true;
  #take: (() => void) | null = null;

  /** The other end reads one write. */
  read(): void {
    this.#take?.();
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this._writev([{ chunk }], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    const take = () => {
      this.#take = null;
      this.text += Buffer.concat(chunks.map(({ chunk }) => chunk)).toString('utf8');
      done();
    };
    if (this.isStalled) this.#take = take;
    else take();
  }
}
