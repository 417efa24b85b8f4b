import type * as fs from 'node:fs';

type Done = (error: NodeJS.ErrnoException | null, written?: number) => void;

/** Something handed to the pool of threads. It happens at some time, and is told at a later one. */
interface Pending {
  readonly act: (() => void) | null;
  readonly done: Done;
  readonly written: number;
}

/**
 * What the disk does to a file, in the hands of a test: asynchronous calls happen when they are told to, and each
 * version of each sector is remembered, with the one that was synced last.
 */
export class Disk {
  isBroken = false;
  readonly sectors: [Buffer[], Buffer[]] = [[], []];
  synced: [number, number] = [0, 0];
  #pending: Pending[] = [];
  #told: Pending[] = [];

  /** Everything that waits in the pool is gone with the process; what was handed over may still have happened. */
  reset(): void {
    this.sectors[0] = [];
    this.sectors[1] = [];
    this.synced = [0, 0];
    this.#pending = [];
    this.#told = [];
  }

  /** Has the oldest waiting call happen. */
  land(): void {
    const next = this.#pending.shift();
    if (next === undefined) return;
    next.act?.();
    this.#told.push(next);
  }

  /** Tells the oldest call that has happened. */
  complete(): void {
    const next = this.#told.shift();
    if (next === undefined) return;
    if (this.isBroken) next.done(new Error('EIO: the disk is broken'));
    else next.done(null, next.written);
  }

  /** The functions of `node:fs` that a file of sequence numbers uses. */
  wrap(real: typeof fs): object {
    const check = () => {
      if (this.isBroken) throw new Error('EIO: the disk is broken');
    };
    const writeSync = (fd: number, bytes: Buffer, offset: number, length: number, position: number): number => {
      check();
      this.#note(bytes, position);
      return real.writeSync(fd, bytes, offset, length, position);
    };
    return {
      ...real,
      writeSync,
      openSync: (path: string, ...rest: [string, number]) => {
        check();
        if (path.endsWith('.new')) this.reset();
        return real.openSync(path, ...rest);
      },
      closeSync: real.closeSync,
      fsyncSync: () => {
        check();
        this.#sync(this.#newest());
      },
      fdatasyncSync: () => {
        check();
        this.#sync(this.#newest());
      },
      fdatasync: (_fd: number, done: Done) => {
        const newest = this.#newest();
        this.#pending.push({ act: () => this.#sync(newest), done, written: 0 });
      },
      write: (fd: number, bytes: Buffer, offset: number, length: number, position: number, done: Done) => {
        const act = () => {
          if (!this.isBroken) writeSync(fd, bytes, offset, length, position);
        };
        this.#pending.push({ act, done, written: length });
      },
    };
  }

  #note(bytes: Buffer, position: number): void {
    for (let at = 0; at < bytes.length; at += 512) {
      this.sectors[(position + at) / 512 === 0 ? 0 : 1].push(Buffer.from(bytes.subarray(at, at + 512)));
    }
  }

  #newest(): [number, number] {
    return [this.sectors[0].length - 1, this.sectors[1].length - 1];
  }

  #sync([first, second]: [number, number]): void {
    this.synced = [Math.max(this.synced[0], first), Math.max(this.synced[1], second)];
  }
}
