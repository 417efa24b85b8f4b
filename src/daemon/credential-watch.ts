import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Tells when one of the credential files is another than when it was read, however it was replaced. */
export class CredentialWatch {
  readonly #files: () => readonly string[];
  #known = '';

  /** @param files those that count now */
  constructor(files: () => readonly string[]) {
    this.#files = files;
    this.wereRead();
  }

  /** The files have just been read. */
  wereRead(): void {
    this.#known = told(
      this.#files().map((file) => {
        try {
          return markOf(statSync(file));
        } catch {
          return gone;
        }
      }),
    );
  }

  /** Whether anything has changed since they were read, or since the last time this was true. */
  async changed(): Promise<boolean> {
    const marks = await Promise.all(this.#files().map((file) => stat(file).then(markOf, () => gone)));
    const before = this.#known;
    this.#known = told(marks);
    return before !== this.#known;
  }
}

const gone = 'gone';
const markOf = ({ ino, mtimeMs, size }: Stats): string => `${ino}:${mtimeMs}:${size}`;
const told = (marks: readonly string[]): string => marks.join(' ');
