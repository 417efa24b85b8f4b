/** Buckets per doubling: a value is off by 0.27 % at most. */
const perDoubling = 128;
/** Up to 2^40 ns, which is 18 minutes. */
const buckets = 40 * perDoubling;

/** A histogram as it goes from process to process: pairs of bucket and count, and the exact extremes. */
export interface HistogramData {
  readonly counts: readonly (readonly [bucket: number, count: number])[];
  readonly max: number;
}

/** Counts of positive numbers (nanoseconds here) in logarithmic buckets: recording costs the same however many there are. */
export class Histogram {
  readonly #counts = new Float64Array(buckets);
  #total = 0;
  #max = 0;

  static from({ counts, max }: HistogramData): Histogram {
    const histogram = new Histogram();
    for (const [bucket, count] of counts) {
      histogram.#counts[bucket] = (histogram.#counts[bucket] ?? 0) + count;
      histogram.#total += count;
    }
    histogram.#max = max;
    return histogram;
  }

  /** How many values there are. */
  get total(): number {
    return this.#total;
  }

  /** The largest value, exactly; 0 without any. */
  get max(): number {
    return this.#max;
  }

  /** Counts a value. What is below 1 counts as 1, what is beyond 2^40 as 2^40. */
  record(value: number): void {
    const bucket = value <= 1 ? 0 : Math.min(buckets - 1, Math.round(Math.log2(value) * perDoubling));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
    if (value > this.#max) this.#max = value;
  }

  /** The smallest value that a fraction (0 to 1) of all values does not exceed; NaN without any. */
  quantile(fraction: number): number {
    if (this.#total === 0) return Number.NaN;
    const wanted = Math.max(1, Math.ceil(this.#total * fraction));
    let seen = 0;
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(this.#max, 2 ** (bucket / perDoubling));
    }
    return this.#max;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#max = 0;
  }

  toData(): HistogramData {
    const counts: [number, number][] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) counts.push([bucket, count]);
    });
    return { counts, max: this.#max };
  }
}
