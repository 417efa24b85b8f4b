import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { exitCode } from '../command.ts';

type Target = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** A stream that a command prints to, and that may lose its reader: `figd tail | head -1` is no failure. */
export class Output {
  readonly #stream: Target;
  readonly #gone = new AbortController();

  constructor(stream: Target) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#gone.abort();
      if (error.code === 'EPIPE') return;
      process.exitCode = exitCode.failed;
      // Where that is what fails, nobody can be told.
      if (stream !== process.stderr) void notice(`cannot write the output: ${error.message}`);
    });
  }

  /** Whether a person looks at it. */
  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** How many characters fit on a line of the terminal; undefined where it is none. */
  get columns(): number | undefined {
    return this.#stream.columns;
  }

  /** Aborted when nobody reads any more: time for a stream to end, quietly. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Writes, and resolves when more may be written. Without a reader it does nothing. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.gone.aborted || this.#stream.write(data)) return;
    try {
      await once(this.#stream, 'drain', { signal: this.gone });
    } catch (error) {
      if (!this.gone.aborted) throw error;
    }
  }
}

/** The process's own streams: what was asked for goes to `stdout`, what is said about it to `stderr`. */
export const stdout = new Output(process.stdout);
export const stderr = new Output(process.stderr);

/** A line to the person at the keyboard, out of the way of what stdout carries. */
export function notice(text: string): Promise<void> {
  return stderr.write(`figd: ${text}\n`);
}
