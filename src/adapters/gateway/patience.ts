import type { Clock } from '../../protocol/clock.ts';

/** Why a call is given up before its answer came. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
  readonly why: 'deadline' | 'caller gone';

  constructor(why: GivenUp['why']) {
    super(why);
    this.why = why;
  }
}

/** How long a call may take: until the head of its answer, and while somebody waits for it. */
export class Patience {
  readonly signal: AbortSignal;
  readonly ms: number;
  readonly #clock: Clock;
  readonly #until: number;
  readonly #abort = new AbortController();
  readonly #caller: AbortSignal;
  readonly #leave = () => this.#abort.abort(new GivenUp('caller gone'));
  #deadline: unknown;

  constructor(clock: Clock, ms: number, caller: AbortSignal) {
    this.signal = this.#abort.signal;
    this.ms = ms;
    this.#clock = clock;
    this.#until = clock.monotonic() + ms;
    this.#caller = caller;
    this.#deadline = clock.setTimeout(() => this.#abort.abort(new GivenUp('deadline')), ms);
    if (caller.aborted) this.#leave();
    else caller.addEventListener('abort', this.#leave);
  }

  /** Milliseconds until the deadline. */
  get left(): number {
    return Math.max(0, this.#until - this.#clock.monotonic());
  }

  /** The head of the answer is there: its body may take as long as it needs. */
  headCame(): void {
    this.#clock.clearTimeout(this.#deadline);
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.headCame();
    this.#caller.removeEventListener('abort', this.#leave);
  }
}
