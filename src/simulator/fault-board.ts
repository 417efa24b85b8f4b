import { Alarm } from './alarm.ts';
import { type AddressCheck, type Fault, type FaultKind, parseFault } from './faults.ts';
import type { Clock } from './ports.ts';

/** A fault as listed over HTTP. */
export interface ListedFault {
  readonly id: number;
  readonly fault: Fault;
  /** `scheduled` until its `afterMs` has passed. */
  readonly state: 'scheduled' | 'active';
  /** How many times it may still be applied, where `times` limits that. */
  readonly timesLeft?: number;
}

/** A fault that was injected, with the handle that ends it. */
export interface InjectedFault {
  readonly id: number;
  /** Ends the fault, or cancels it before it started. Calling it again does nothing. */
  end(): void;
}

interface Entry {
  readonly id: number;
  readonly fault: Fault;
  readonly alarm: Alarm;
  active: boolean;
  timesLeft: number;
}

type FaultNamed<Kind extends FaultKind> = Extract<Fault, { kind: Kind }>;

/** What the board tells the venue. */
export interface FaultListener {
  started(id: number, fault: Fault): void;
  ended(id: number, fault: Fault): void;
}

/** The faults in force, and when they start and end. Later faults of a kind take precedence over earlier ones. */
export class FaultBoard {
  readonly #clock: Clock;
  readonly #listener: FaultListener;
  #entries: readonly Entry[] = [];
  #lastId = 0;

  constructor(clock: Clock, listener: FaultListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Injects a fault; throws `FaultError` naming the field when it cannot be understood. */
  inject(data: Fault): InjectedFault {
    const fault = parseFault(data);
    this.#lastId += 1;
    const id = this.#lastId;
    const alarm = new Alarm(this.#clock, () => (entry.active ? this.#end(entry) : this.#start(entry)));
    const timesLeft = 'times' in fault ? (fault.times ?? Infinity) : Infinity;
    const entry: Entry = { id, fault, alarm, active: false, timesLeft };
    this.#entries = [entry, ...this.#entries];
    if (fault.afterMs === undefined) this.#start(entry);
    else alarm.set(this.#clock.now() + fault.afterMs);
    return { id, end: () => this.#end(entry) };
  }

  /** The fault of this kind in force, without using it up. */
  find<Kind extends FaultKind>(
    kind: Kind,
    matches: (fault: FaultNamed<Kind>) => boolean = () => true,
  ): FaultNamed<Kind> | undefined {
    const fault = this.#find(kind, matches)?.fault;
    return fault === undefined ? undefined : (fault as FaultNamed<Kind>);
  }

  /** The fault of this kind in force; counts as one application of it. */
  take<Kind extends FaultKind>(
    kind: Kind,
    matches: (fault: FaultNamed<Kind>) => boolean = () => true,
  ): FaultNamed<Kind> | undefined {
    const entry = this.#find(kind, matches);
    if (entry === undefined) return undefined;
    entry.timesLeft -= 1;
    if (entry.timesLeft === 0) this.#end(entry);
    return entry.fault as FaultNamed<Kind>;
  }

  /** Whether the client's address is refused where it is looked at; counts as one application of the fault. */
  refusesAddress(check: AddressCheck): boolean {
    return this.take('refuse-address', ({ where }) => where === undefined || where.includes(check)) !== undefined;
  }

  /** Ends one fault; whether there was one with this id. */
  end(id: number): boolean {
    const entry = this.#entries.find((candidate) => candidate.id === id);
    if (entry !== undefined) this.#end(entry);
    return entry !== undefined;
  }

  /** Ends all faults, scheduled ones included. */
  clear(): void {
    for (const entry of this.#entries) this.#end(entry);
  }

  /** All faults, oldest first. */
  list(): readonly ListedFault[] {
    return this.#entries
      .map(({ id, fault, active, timesLeft }) => ({
        id,
        fault,
        state: active ? ('active' as const) : ('scheduled' as const),
        ...(Number.isFinite(timesLeft) ? { timesLeft } : {}),
      }))
      .reverse();
  }

  #find<Kind extends FaultKind>(kind: Kind, matches: (fault: FaultNamed<Kind>) => boolean): Entry | undefined {
    return this.#entries.find(
      (entry) => entry.active && entry.fault.kind === kind && matches(entry.fault as FaultNamed<Kind>),
    );
  }

  #start(entry: Entry): void {
    entry.active = true;
    if ('forMs' in entry.fault && entry.fault.forMs !== undefined) {
      entry.alarm.set(this.#clock.now() + entry.fault.forMs);
    }
    this.#listener.started(entry.id, entry.fault);
    if (isOverAtOnce(entry.fault)) this.#end(entry);
  }

  #end(entry: Entry): void {
    if (!this.#entries.includes(entry)) return;
    entry.alarm.cancel();
    this.#entries = this.#entries.filter((other) => other !== entry);
    if (entry.active) this.#listener.ended(entry.id, entry.fault);
    entry.active = false;
  }
}

function isOverAtOnce(fault: Fault): boolean {
  switch (fault.kind) {
    case 'expire-tokens':
    case 'malformed':
    case 'oversized':
      return true;
    case 'drop':
      return fault.forMs === undefined && fault.times === undefined;
    default:
      return false;
  }
}
