/** Whose time an event belongs to: the world's, or the time of one run of the daemon, which can stand still. */
export type Owner = 'world' | number;

interface Entry {
  due: number;
  readonly order: number;
  readonly owner: Owner;
  /**
   * Frames wait in the kernel and are read first when a process goes on; its timers come after. A glance makes
   * no promise, so that there is nothing to wait for behind it.
   */
  readonly kind: 'timer' | 'delivery' | 'glance';
  readonly run: () => void;
  done: boolean;
}

const comesBefore = (a: Entry, b: Entry): boolean => a.due < b.due || (a.due === b.due && a.order < b.order);
const settle = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/**
 * True time, and everything that is going to happen in it, as a heap. Between two events every promise settles, so
 * that a run depends on nothing but its seed.
 */
export class Scheduler {
  readonly #heap: Entry[] = [];
  readonly #held: Entry[] = [];
  readonly #live = new Map<Owner, number>();
  readonly #dead = new Set<Owner>();
  #now = 0;
  #order = 0;
  #paused: Owner | null = null;
  #events = 0;

  /** True milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** How many events have happened. */
  get events(): number {
    return this.#events;
  }

  /** How many timers of an owner are set. */
  timers(owner: Owner): number {
    return this.#live.get(owner) ?? 0;
  }

  at(due: number, owner: Owner, run: () => void, kind: Entry['kind'] = 'timer'): Entry {
    this.#order += 1;
    const entry: Entry = { due: Math.max(due, this.#now), order: this.#order, owner, kind, run, done: false };
    // What comes for a process that is gone finds nobody.
    if (this.#dead.has(owner)) return Object.assign(entry, { done: true });
    if (kind === 'timer') this.#live.set(owner, this.timers(owner) + 1);
    this.#push(entry);
    return entry;
  }

  cancel(handle: unknown): void {
    const entry = handle as Entry | null | undefined;
    if (entry?.done === false) this.#finish(entry);
  }

  /** The process of this owner does not run any more until {@link resume}. */
  pause(owner: Owner): void {
    this.#paused = owner;
  }

  /**
   * It runs again. What was due meanwhile happens now, deliveries first; `shiftMs` is by how much all its timers are
   * late because their clock stood still too (a suspended host).
   */
  resume(shiftMs: number): void {
    const owner = this.#paused;
    this.#paused = null;
    const own = [...this.#held.splice(0), ...this.#heap.filter((entry) => entry.owner === owner)];
    const others = this.#heap.filter((entry) => entry.owner !== owner);
    this.#heap.length = 0;
    for (const entry of others) this.#push(entry);
    for (const entry of own) {
      if (entry.kind === 'timer') entry.due += shiftMs;
      entry.due = Math.max(entry.due, this.#now);
    }
    own.sort((a, b) => a.due - b.due || Number(a.kind === 'timer') - Number(b.kind === 'timer') || a.order - b.order);
    for (const entry of own) {
      this.#order += 1;
      this.#push(Object.assign(entry, { order: this.#order }));
    }
  }

  /** The process of this owner is gone, and all that it was waiting for. */
  forget(owner: Owner): void {
    for (const entry of [...this.#heap, ...this.#held]) if (entry.owner === owner && !entry.done) this.#finish(entry);
    this.#dead.add(owner);
    if (this.#paused === owner) this.#paused = null;
    this.#held.length = 0;
  }

  /** Lets everything happen until a moment. `after` is called after each event, once all promises have settled. */
  async runUntil(end: number, after: () => void): Promise<void> {
    await settle();
    for (let next = this.#heap[0]; next !== undefined && next.due <= end; next = this.#heap[0]) {
      this.#pop();
      if (next.done) continue;
      if (next.owner === this.#paused && next.owner !== 'world') {
        this.#held.push(next);
        continue;
      }
      this.#now = Math.max(this.#now, next.due);
      this.#finish(next);
      this.#events += 1;
      next.run();
      if (next.kind === 'glance') continue;
      await settle();
      after();
    }
    this.#now = end;
  }

  #finish(entry: Entry): void {
    entry.done = true;
    if (entry.kind === 'timer') this.#live.set(entry.owner, this.timers(entry.owner) - 1);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!comesBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1];
      if (right !== undefined && comesBefore(right, heap[child] as Entry)) child += 1;
      const below = heap[child] as Entry;
      if (!comesBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}
