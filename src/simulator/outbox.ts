import type { Clock, Peer } from './ports.ts';

/** What leaves the venue for one peer, in order, after the delay in force when it was written. */
export class Outbox {
  readonly #clock: Clock;
  readonly #peer: Peer;
  readonly #delay: () => number;
  readonly #queue: { readonly due: number; readonly run: () => void }[] = [];
  #timer: unknown;
  #open = true;

  /** `delay` gives the ms that whatever is written now has to wait. */
  constructor(clock: Clock, peer: Peer, delay: () => number) {
    this.#clock = clock;
    this.#peer = peer;
    this.#delay = delay;
  }

  /** Sends a frame; `sent` is called at the moment it is handed to the peer, and never when it is not. */
  send(frame: string | Uint8Array, sent?: () => void): void {
    this.#enqueue(() => {
      this.#peer.send(frame);
      sent?.();
    });
  }

  /** Closes the connection after everything written before. */
  close(code: number, reason: string): void {
    this.#enqueue(() => this.#peer.close(code, reason));
  }

  /** Drops what is waiting; nothing is sent any more. */
  discard(): void {
    this.#open = false;
    this.#queue.length = 0;
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #enqueue(run: () => void): void {
    if (!this.#open) return;
    const delay = this.#delay();
    // Whatever is due, it waits for what is queued before it: a delay that ends must not reorder.
    if (delay === 0 && this.#queue.length === 0) {
      run();
      return;
    }
    const due = this.#clock.now() + delay;
    this.#queue.push({ due, run });
    if (this.#queue.length === 1) this.#arm(due);
  }

  #arm(due: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#flush(), Math.max(0, due - this.#clock.now()));
  }

  #flush(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    let next = this.#queue[0];
    while (next !== undefined && next.due <= now) {
      next.run();
      this.#queue.shift();
      next = this.#queue[0];
    }
    if (next !== undefined) this.#arm(next.due);
  }
}
