import { Trouble } from '../trouble.ts';

/** What may not be kept on disk, the gravest first. */
const subjects = ['thread', 'sequence', 'journal', 'ledger'] as const;

export type TroubleSubject = (typeof subjects)[number];

/** Why things cannot be kept on disk at present, told as one: the gravest. */
export class Troubles {
  readonly #told: Trouble;
  readonly #messages = new Map<TroubleSubject, string>();
  #isListening = false;

  /** @param onChange told of each change from {@link listen} on; it must not throw */
  constructor(onChange: (message: string | null) => void) {
    this.#told = new Trouble(onChange);
  }

  /** Null when all is well. */
  get gravest(): string | null {
    const worst = subjects.find((subject) => this.#messages.has(subject));
    return worst === undefined ? null : (this.#messages.get(worst) ?? null);
  }

  /** Tells what has come together so far, and from now on each change. */
  listen(): void {
    this.#isListening = true;
    this.#told.tell(this.gravest);
  }

  tell(of: TroubleSubject, message: string | null): void {
    if (message === null) this.#messages.delete(of);
    else this.#messages.set(of, message);
    if (this.#isListening) this.#told.tell(this.gravest);
  }
}
