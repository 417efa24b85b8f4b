import { type ActorRefFrom, createActor, fromCallback, fromPromise } from 'xstate';
import type {
  Comparison,
  ReconcileEvent,
  ReconcileInput,
  ReconcileReport,
} from '../../../src/machines/reconcile.events.ts';
import { reconcileMachine } from '../../../src/machines/reconcile.machine.ts';
import { type Failure, FailureError } from '../../../src/protocol/failure.ts';
import { deferred, settle, VirtualTime } from './virtual-time.ts';

/** A comparison under way; the test says how it ends. */
interface SeenComparison {
  readonly at: number;
  readonly signal: AbortSignal;
  readonly find: (missed: number) => Promise<void>;
  readonly fail: (failure: Failure) => Promise<void>;
}

/** The reconciliation alone, with comparisons that end when the test says so. */
export class ReconcileStage {
  readonly time = new VirtualTime();
  readonly comparisons: SeenComparison[] = [];
  readonly reports: ReconcileReport[] = [];
  readonly actor: ActorRefFrom<typeof reconcileMachine>;
  readonly #supervisor = createActor(
    fromCallback<ReconcileReport>(({ receive }) => {
      receive((report) => this.reports.push(report));
    }),
  ).start();

  constructor({ interval = 300_000, random = () => 0.5 }: Partial<Pick<ReconcileInput, 'interval' | 'random'>> = {}) {
    const compare = fromPromise<Comparison>(({ signal }) => {
      const { promise, resolve, reject } = deferred<Comparison>();
      this.comparisons.push({
        at: this.time.now(),
        signal,
        find: (missed) => {
          resolve({ missed });
          return settle();
        },
        fail: (failure) => {
          reject(new FailureError(failure));
          return settle();
        },
      });
      return promise;
    });
    this.actor = createActor(reconcileMachine.provide({ actors: { compare } }), {
      clock: this.time.clock,
      input: { supervisor: this.#supervisor, interval, now: this.time.now, random },
    });
    this.actor.start();
  }

  get state() {
    return this.actor.getSnapshot().value;
  }

  get latest(): SeenComparison {
    const comparison = this.comparisons.at(-1);
    if (comparison === undefined) throw new Error('nothing was compared yet');
    return comparison;
  }

  /** When each comparison began. */
  get moments(): readonly number[] {
    return this.comparisons.map(({ at }) => at);
  }

  send(type: Exclude<ReconcileEvent['type'], 'settings.changed'>): Promise<void> {
    this.actor.send({ type });
    return settle();
  }

  /** The configuration changes. */
  change(interval: number): Promise<void> {
    this.actor.send({ type: 'settings.changed', interval });
    return settle();
  }

  strike(): void {
    this.actor.stop();
    this.#supervisor.stop();
  }
}
