import { createActor, type InspectionEvent } from 'xstate';
import type { SupervisorFact, SupervisorInput, SupervisorSettings } from '../machines/supervisor.events.ts';
import type { Clock } from '../protocol/clock.ts';
import type { MachineState } from '../protocol/diagnosis.ts';
import { type ActorPorts, wireSupervisor } from './actors.ts';
import { ended } from './ending.ts';
import { machineStates } from './machine-states.ts';
import { RollCall } from './roll-call.ts';
import { type MachineView, type Supervisor, viewOf } from './snapshot.ts';

export interface MachinesOptions {
  readonly ports: ActorPorts;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: SupervisorSettings;
  /** What an earlier run did in the last minute. */
  readonly earlier: SupervisorInput['earlier'];
  /** Called once a turn in which any machine has made a transition. */
  readonly onMoved: () => void;
}

/** The state machines while they run: what they are, and what is wished of them. */
export class Machines {
  readonly #clock: Clock;
  readonly #supervisor: Supervisor;
  readonly #rollCall = new RollCall();
  readonly #onMoved: () => void;
  #lastView: MachineView;
  #hasMoved = false;

  constructor({ ports, clock, random, settings, earlier, onMoved }: MachinesOptions) {
    this.#clock = clock;
    this.#onMoved = onMoved;
    this.#supervisor = createActor(wireSupervisor(ports), {
      id: 'supervisor',
      clock,
      inspect: (event) => this.#inspect(event),
      input: { settings, earlier, now: () => clock.monotonic(), random },
    });
    this.#lastView = viewOf(this.#supervisor);
  }

  /** @param onFact told what they make known @param onFatal told that one has died */
  start(onFact: (fact: SupervisorFact) => void, onFatal: (error: unknown) => void): void {
    this.#supervisor.on('*', onFact);
    this.#supervisor.subscribe({ error: onFatal });
    this.#supervisor.start();
  }

  /** Has them end the session, and themselves, in good order. */
  end(): Promise<void> {
    return ended(this.#supervisor, this.#clock);
  }

  /** Drops the session at once, without a word to the venue; where a machine has died its session is left alone. */
  async abandon(): Promise<void> {
    this.#supervisor.stop();
  }

  /** As they are, or, once they have ended, as they were last. */
  view(): MachineView {
    if (this.#isActive) this.#lastView = viewOf(this.#supervisor);
    return this.#lastView;
  }

  /** What runs beside the supervisor, by name. */
  children(): readonly string[] {
    return Object.keys(this.#supervisor.getSnapshot().children);
  }

  /** Every machine as it is. */
  states(): readonly MachineState[] {
    return machineStates(this.#supervisor);
  }

  /** Whether every machine takes events. */
  answer(): boolean {
    return this.#rollCall.call(this.#supervisor);
  }

  /** The configuration has changed. */
  settingsChanged(settings: SupervisorSettings): void {
    if (this.#isActive) this.#supervisor.send({ type: 'settings.changed', settings });
  }

  /** Time has passed, or the clock was set, and no timer knows. */
  clockJumped(): void {
    if (this.#isActive) this.#supervisor.send({ type: 'clock.jumped' });
  }

  /** What was missed up to now is to be looked for. */
  compare(): void {
    if (this.#isActive) this.#supervisor.send({ type: 'compare' });
  }

  /** Asks for a new token now. */
  refresh(): void {
    this.#supervisor.send({ type: 'refresh' });
  }

  /**
   * Has the token replaced, unless the venue has just said no to that: then it is asked at the pace that goes with it.
   * @returns whether a new one is on its way
   */
  renewToken(): boolean {
    const { state, context } = this.view().token;
    if (state === 'valid') this.#supervisor.send({ type: 'renew the token' });
    return state !== 'idle' && (context.lastFailure === null || state === 'refreshing' || state === 'authenticating');
  }

  /** Drops the session and dials again. */
  reconnect(): void {
    this.#supervisor.send({ type: 'reconnect' });
  }

  /** Has a second session take over. */
  rotate(): void {
    this.#supervisor.send({ type: 'rotate' });
  }

  get #isActive(): boolean {
    return this.#supervisor.getSnapshot().status === 'active';
  }

  #inspect(event: InspectionEvent): void {
    this.#rollCall.note(event);
    if (event.type !== '@xstate.snapshot' || this.#hasMoved) return;
    this.#hasMoved = true;
    queueMicrotask(() => {
      this.#hasMoved = false;
      this.#onMoved();
    });
  }
}
