import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The program as source. */
export const source = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What `FIGD_TEST_PROGRAM` names: the bundle that program.ts makes, if nothing else; else the source. */
function program(nodeArguments: readonly string[]): [string, ...string[]] {
  const file = process.env['FIGD_TEST_PROGRAM'] ?? source;
  return /\.m?[jt]s$/.test(file) ? [process.execPath, ...nodeArguments, file] : [file];
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `figd` as a process of its own, with what it printed so far. */
export class Figd {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  #stdout: Buffer[] = [];
  #stderr = '';
  #look: () => void = () => undefined;

  /** @param nodeArguments for Node itself, before the program */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, nodeArguments: readonly string[] = []) {
    // Nothing of this host's environment may configure figd.
    const [command, ...first] = program(nodeArguments);
    this.child = spawn(command, [...first, ...args], {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], NO_COLOR: '1', ...env },
    });
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout.push(chunk);
      this.#look();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    this.ended = once(this.child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.stdout,
      stderr: this.#stderr,
    }));
  }

  /** Sends SIGTERM and waits for the end. */
  async stop(): Promise<Ended> {
    this.child.kill('SIGTERM');
    return this.ended;
  }

  get stdout(): string {
    return this.stdoutBytes.toString('utf8');
  }

  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when what was printed fulfils `fact`; fails after ten seconds with what there is. */
  async until(fact: (figd: this) => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`printed only ${this.stdout}${this.#stderr}`)), 10_000);
      this.#look = () => {
        if (!fact(this)) return;
        clearTimeout(deadline);
        resolve();
      };
      this.#look();
    });
  }
}

/** Runs `figd` to its end. */
export async function figd(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const run = new Figd(args, env);
  run.child.stdin.end(input);
  return run.ended;
}
