import { LocalClient } from '../../../src/adapters/local-client.ts';
import { isRecord, RpcError } from '../../../src/protocol/json-rpc.ts';
import type { CallEnd } from './rest-caller.ts';

/** A program that makes one JSON-RPC call after the other on `control.sock`. */
export class SocketCaller implements AsyncDisposable {
  readonly #client: LocalClient;
  readonly #name: string;
  #calls = 0;

  private constructor(client: LocalClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  static async connect(name: string, socketPath: string): Promise<SocketCaller> {
    return new SocketCaller(await LocalClient.connect(socketPath), name);
  }

  /** The simulator's method answers with its parameters, and counts the key. */
  async echo(): Promise<CallEnd> {
    this.#calls += 1;
    const key = `${this.#name}-${this.#calls}`;
    try {
      const result = await this.#client.request('call', { method: 'simulator/echo', params: { key } }, 30_000);
      return { key, status: 200, refusal: undefined, body: JSON.stringify(result) };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const code = isRecord(error.data) ? error.data['code'] : undefined;
      return { key, status: error.code, refusal: typeof code === 'string' ? code : undefined, body: error.message };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
  }
}
