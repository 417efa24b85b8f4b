import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { track } from './children.ts';

/** What a child process can be asked: methods with one parameter, whose values go over the IPC channel. */
type Methods<Api> = { readonly [Name in keyof Api]: (params: never) => unknown };

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** A child process of the benchmark that answers calls. It ends with its parent. */
export class Remote<Api extends Methods<Api>> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #name: string;
  #lastId = 0;

  /** @param module path of the child's program, relative to this file */
  constructor(module: string, args: readonly string[] = []) {
    this.#name = module;
    this.#child = track(fork(fileURLToPath(new URL(module, import.meta.url)), args, { stdio: 'inherit' }));
    this.#child.on('message', (answer: Answer) => this.#settle(answer));
    this.#child.on('exit', (code, signal) => this.#end(`${module} ended (${signal ?? code})`));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws what the method threw, or that the process ended */
  call<Name extends keyof Api & string>(
    method: Name,
    params: Parameters<Api[Name]>[0],
  ): Promise<Awaited<ReturnType<Api[Name]>>> {
    this.#lastId += 1;
    const call: Call = { id: this.#lastId, method, params };
    return new Promise((resolve, reject) => {
      this.#waiting.set(call.id, { resolve, reject });
      if (this.#child.connected) this.#child.send(call);
      else this.#end(`${this.#name} has ended`);
    });
  }

  #settle({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) waiting?.reject(new Error(`${this.#name}: ${error}`));
    else waiting?.resolve(result as never);
  }

  #end(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}

/** In a child process: answers calls until the parent is gone. */
export function serve<Api extends Methods<Api>>(api: Api): void {
  process.on('disconnect', () => process.exit(0));
  // The parent decides when it is over: a Ctrl-C goes to all of the group.
  process.on('SIGINT', () => undefined);
  process.on('message', async ({ id, method, params }: Call) => {
    const answer = await run(api, method, params).then(
      (result): Answer => ({ id, result }),
      (error: unknown): Answer => ({ id, error: error instanceof Error ? (error.stack ?? error.message) : 'failed' }),
    );
    process.send?.(answer);
  });
}

async function run<Api extends Methods<Api>>(api: Api, method: string, params: unknown): Promise<unknown> {
  if (!Object.hasOwn(api, method)) throw new Error(`no method ${method}`);
  return api[method as keyof Api](params as never);
}
