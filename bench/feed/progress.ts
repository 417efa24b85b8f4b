import { once } from 'node:events';
import { createServer } from 'node:net';

const numberBytes = 8;

/** How far the slowest consumer is, as the consumers tell it on a socket of their own: numbers of 8 bytes. */
export class Progress {
  #reached = 0;
  #moved: () => void = () => undefined;

  async listen(path: string): Promise<void> {
    const server = createServer((socket) => {
      let rest: Buffer = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        const bytes = Buffer.concat([rest, chunk]);
        const whole = bytes.length - (bytes.length % numberBytes);
        rest = bytes.subarray(whole);
        if (whole > 0) this.#reach(Number(bytes.readBigUInt64LE(whole - numberBytes)));
      });
      socket.on('error', () => socket.destroy());
    });
    server.listen(path);
    await once(server, 'listening');
  }

  /** The number that all consumers that read have got. */
  get reached(): number {
    return this.#reached;
  }

  /** Until they have got further, or {@link wake} is called. */
  further(): Promise<void> {
    return new Promise((resolve) => {
      this.#moved = resolve;
    });
  }

  wake(): void {
    this.#moved();
  }

  #reach(number: number): void {
    this.#reached = Math.max(this.#reached, number);
    this.#moved();
  }
}

/** A progress message. */
export function encodeProgress(number: number): Buffer {
  const bytes = Buffer.alloc(numberBytes);
  bytes.writeBigUInt64LE(BigInt(number));
  return bytes;
}
