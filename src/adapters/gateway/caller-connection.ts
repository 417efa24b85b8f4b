import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Timers } from '../../protocol/request-table.ts';

export interface CallerConnectionPorts {
  readonly clock: Timers;
  /** Milliseconds without reading after which a caller is cut off whose answers wait. */
  readonly timeout: () => number;
}

interface PendingCall {
  readonly onTurn: () => void;
  readonly onEnd: () => void;
}

/** So many requests of a connection are under way at a time; those behind them wait. */
const mostUnderWay = 4;
/** With so many requests taken, no more are read. */
const mostTaken = 64;

/**
 * One connection of a caller. Its requests are answered in their order (RFC 9112, 9.3.2), so that an answer that is not
 * read holds up those behind it, and each holds one of the connections to the venue that all callers share.
 */
export class CallerConnection {
  readonly id: string;
  readonly #socket: Socket;
  readonly #ports: CallerConnectionPorts;
  /** In the order of their requests. */
  readonly #calls = new Map<ServerResponse, PendingCall>();
  /** Those that were given more than goes into the socket. */
  readonly #full = new Set<ServerResponse>();
  #deadline: unknown;
  #isCutOff = false;

  constructor(id: string, socket: Socket, ports: CallerConnectionPorts) {
    this.id = id;
    this.#socket = socket;
    this.#ports = ports;
    // The server reads on whenever an answer has ended.
    socket.on('resume', () => this.#holdBack());
    socket.once('close', () => {
      // Of a connection that ends only the response in front is told.
      for (const response of [...this.#calls.keys()]) this.#end(response);
    });
  }

  /** Whether it was ended because its caller did not read. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  /**
   * Takes a request.
   * @param onEnd called once: its response has been handed over to its end, or never will be
   * @returns what resolves when it is its turn, or when the connection is gone
   */
  enter(response: ServerResponse, onEnd: () => void): Promise<void> {
    const turn = Promise.withResolvers<void>();
    this.#calls.set(response, { onTurn: turn.resolve, onEnd });
    response.once('close', () => this.#end(response));
    this.#giveTurns();
    this.#holdBack();
    return turn.promise;
  }

  /** Has an answer go on when the caller has read what is there of it. A caller that reads nothing is cut off in time. */
  whenRead(response: ServerResponse, resume: () => void): void {
    this.#full.add(response);
    if (this.#deadline === undefined) this.#watch();
    response.once('drain', () => {
      this.#full.delete(response);
      this.#watch();
      resume();
    });
  }

  #giveTurns(): void {
    for (const { onTurn } of this.#calls.values().take(mostUnderWay)) onTurn();
  }

  #holdBack(): void {
    if (this.#calls.size > mostTaken) this.#socket.pause();
  }

  #end(response: ServerResponse): void {
    const call = this.#calls.get(response);
    if (call === undefined) return;
    this.#calls.delete(response);
    this.#full.delete(response);
    call.onEnd();
    call.onTurn();
    this.#giveTurns();
    this.#watch();
    if (this.#calls.size === mostTaken) this.#socket.resume();
  }

  /** Begins to wait for the caller to read, if there is more than goes into the socket. */
  #watch(): void {
    const { clock, timeout } = this.#ports;
    clock.clearTimeout(this.#deadline);
    this.#deadline = this.#full.size === 0 ? undefined : clock.setTimeout(() => this.#timeOut(), timeout());
  }

  #timeOut(): void {
    // Behind an answer that is slow in coming others may fill up, whose caller is not to blame.
    if (!this.#waitsForCaller) {
      this.#watch();
      return;
    }
    this.#isCutOff = true;
    this.#socket.destroy();
  }

  get #waitsForCaller(): boolean {
    const [front] = this.#calls.keys();
    return front !== undefined && (this.#full.has(front) || front.writableEnded);
  }
}
