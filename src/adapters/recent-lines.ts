import { cut } from '../protocol/text.ts';

const mostLines = 100;
const longestLine = 1_000;
/** How a line begins that somebody should look at. */
const beginnings = ['warn', 'error', 'fatal'].map((level) => `{"level":"${level}"`);

/** The newest lines of a log from `warn` up, for whoever asks what has happened. */
export class RecentLines {
  #lines: readonly string[] = [];

  /** @param line as it was written, without a secret in it */
  note(line: string): void {
    if (!beginnings.some((beginning) => line.startsWith(beginning))) return;
    this.#lines = [...this.#lines.slice(1 - mostLines), cut(line.trimEnd(), longestLine)];
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }
}
