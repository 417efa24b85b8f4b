import { statSync } from 'node:fs';

/** Tells when one of the credential files is another than when it was read, however it was replaced. */
export class CredentialWatch {
  readonly #files: () => readonly string[];
  #known: string;

  /** @param files those that count now */
  constructor(files: () => readonly string[]) {
    this.#files = files;
    this.#known = this.#marks();
  }

  /** The files have just been read. */
  wereRead(): void {
    this.#known = this.#marks();
  }

  /** Whether anything has changed since they were read, or since the last time this was true. */
  changed(): boolean {
    const before = this.#known;
    this.#known = this.#marks();
    return before !== this.#known;
  }

  #marks(): string {
    return this.#files().map(markOf).join(' ');
  }
}

function markOf(file: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(file);
    return `${ino}:${mtimeMs}:${size}`;
  } catch {
    return 'gone';
  }
}
