import { stat } from 'node:fs/promises';

/** Tells when one of the credential files is another than before, however it was replaced. */
export class CredentialWatch {
  readonly #files: () => readonly string[];
  #known: string | null = null;

  /** @param files those that count now */
  constructor(files: () => readonly string[]) {
    this.#files = files;
  }

  /** Whether anything changed since the last time this was asked; false the first time. */
  async changed(): Promise<boolean> {
    const marks = await Promise.all(
      this.#files().map((file) =>
        stat(file).then(
          ({ ino, mtimeMs, size }) => `${ino}:${mtimeMs}:${size}`,
          () => 'gone',
        ),
      ),
    );
    const before = this.#known;
    this.#known = marks.join(' ');
    return before !== null && before !== this.#known;
  }
}
