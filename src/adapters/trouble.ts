/** Why something cannot be kept at present. Each change of that is told once. */
export class Trouble {
  readonly #onChange: (message: string | null) => void;
  #message: string | null = null;

  /** @param onChange must not throw */
  constructor(onChange: (message: string | null) => void) {
    this.#onChange = onChange;
  }

  /** Null when all is well. */
  get message(): string | null {
    return this.#message;
  }

  tell(message: string | null): void {
    if (message === this.#message) return;
    this.#message = message;
    this.#onChange(message);
  }
}
