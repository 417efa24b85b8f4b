import type { GapMessage } from '../protocol/local.ts';

/** A time in which figd could not hear the venue. Moments are unix milliseconds. */
interface Gap {
  readonly id: number;
  readonly cause: string;
  readonly since: number;
}

export interface ClosedGap extends Gap {
  readonly until: number;
}

/** Every interruption of a live session: opened when it is noticed, from the last sign of life on. */
export class Gaps {
  readonly #publish: (message: GapMessage) => void;
  #total = 0;
  #open: Gap | null = null;
  #blindMs = 0;

  constructor(publish: (message: GapMessage) => void) {
    this.#publish = publish;
  }

  open(cause: string, since: number, channels: readonly string[]): void {
    if (this.#open !== null) return;
    this.#total += 1;
    this.#open = { id: this.#total, cause, since };
    this.#publish({ phase: 'open', ...this.#open, channels });
  }

  close(until: number): ClosedGap | null {
    const gap = this.#open;
    if (gap === null) return null;
    this.#open = null;
    const blindMs = Math.max(0, until - gap.since);
    this.#blindMs += blindMs;
    this.#publish({ phase: 'closed', id: gap.id, until, blindMs, reconciled: 'not-attempted' });
    return { ...gap, until };
  }

  /** As the status tells it; an open gap counts up to `now`. */
  summary(now: number): { readonly open: number; readonly total: number; readonly blindMsTotal: number } {
    const running = this.#open === null ? 0 : Math.max(0, now - this.#open.since);
    return { open: this.#open === null ? 0 : 1, total: this.#total, blindMsTotal: this.#blindMs + running };
  }
}
