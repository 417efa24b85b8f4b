import type { Health } from '../machines/policies/health.ts';
import type { StateMessage } from '../protocol/local.ts';
import type { Layer, OverallState } from '../protocol/status.ts';

export interface StateWatchPorts {
  readonly derive: () => Health;
  /** Unix milliseconds. */
  readonly wall: () => number;
  /** Called once for each change of the state or of its reason. */
  readonly onChange: (message: StateMessage) => void;
}

/** The derived state with its history: since when it holds, and since when each layer is as it is. */
export class StateWatch {
  readonly #ports: StateWatchPorts;
  #health: Health;
  #since: number;
  #layers: readonly Layer[];

  constructor(ports: StateWatchPorts) {
    this.#ports = ports;
    this.#health = ports.derive();
    this.#since = ports.wall();
    this.#layers = this.#health.layers.map((layer) => ({ ...layer, since: this.#since }));
  }

  get state(): OverallState {
    return this.#health.state;
  }

  /** The state as it is now; what it took to get here was told through `onChange`. */
  current(): Health & { readonly since: number; readonly layers: readonly Layer[] } {
    this.refresh();
    return { ...this.#health, since: this.#since, layers: this.#layers };
  }

  /** Derives the state anew. Cheap: to be called after every transition, and every second for what only time changes. */
  refresh(): void {
    const before = this.#health;
    const health = this.#ports.derive();
    const now = this.#ports.wall();
    this.#health = health;
    this.#layers = health.layers.map((layer, index) => {
      const known = this.#layers[index];
      return { ...layer, since: known?.ok === layer.ok ? known.since : now };
    });
    if (health.state !== before.state) this.#since = now;
    if (health.state === before.state && health.reason === before.reason) return;
    const { state, reason, next } = health;
    this.#ports.onChange({ state, previous: before.state, reason, next });
  }
}
