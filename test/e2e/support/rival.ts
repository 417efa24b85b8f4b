import { once } from 'node:events';
import WebSocket from 'ws';
import type { Simulator } from '../../../src/simulator/server.ts';

/** How long it takes to come back: quick, as a program without manners is. */
const comesBackAfterMs = 200;

/** Another program that uses the same key, and dials again whenever its session is ended. */
export class Rival implements Disposable {
  /** It dials the other dialect's path, so that its dials can be told from the daemon's. */
  static readonly path = '/';
  readonly #simulator: Simulator;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(simulator: Simulator) {
    this.#simulator = simulator;
    this.#dial();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#socket?.removeAllListeners().on('error', () => undefined);
    this.#socket?.terminate();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #dial(): void {
    const socket = new WebSocket(this.#simulator.platformSocketUrl);
    this.#socket = socket;
    const { clientId, clientSecret } = this.#simulator.venue.options;
    socket.on('open', () => {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth', params: { clientId, clientSecret } }));
    });
    socket.on('error', () => undefined);
    once(socket, 'close').then(() => {
      if (!this.#isStopped) this.#timer = setTimeout(() => this.#dial(), comesBackAfterMs);
    });
  }
}
