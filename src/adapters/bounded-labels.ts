const mostValues = 64;

/**
 * Bounds what a label of a metric can be: each value is a series of its own, in Prometheus too, and whoever is at the
 * other end may answer with as many codes as there are numbers.
 */
export class BoundedLabels {
  readonly #values = new Set<string>();

  /** The value, or `other` for one that came after many others. */
  of(value: string): string {
    if (this.#values.has(value)) return value;
    if (this.#values.size >= mostValues) return 'other';
    this.#values.add(value);
    return value;
  }
}
