const shown = '[secret]';

/**
 * A text that must not be seen: printing, logging, inspecting or serialising it gives `[secret]`. Only
 * {@link Secret.reveal} gives the text, so that every place that uses one can be found by that name.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the one request that needs it. Do not keep it. */
  reveal(): string {
    return this.#text;
  }

  /** Whether both hold the same text: how a reload finds out that a credential has changed. */
  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return shown;
  }
}
