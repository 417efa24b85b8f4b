import { expect } from 'vitest';
import type { OutageDocument } from '../../../src/commands/terminal/outages-view.ts';
import type { GapRecord } from '../../../src/protocol/ledger.ts';
import type { GapMessage, StateMessage } from '../../../src/protocol/local.ts';
import type { EventRecord } from '../../../src/simulator/ports.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/server.ts';
import type { ConnectionStats } from '../../../src/simulator/stats.ts';
import { until } from '../../support/until.ts';
import { type DaemonSetup, DaemonUnderTest, frameOf, type Line, RawConsumer } from '../daemon.ts';
import { accountFor, statuses, Witness } from './witness.ts';

/** A daemon between a venue that is watched and a consumer that keeps everything, over all its starts. */
export class GapStage implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly witness: Witness;
  readonly daemon: DaemonUnderTest;
  /** The round trip to the venue as the daemon measured it when all was well. */
  rttMs = 0;
  readonly #consumers: RawConsumer[] = [];

  private constructor(simulator: Simulator, witness: Witness, daemon: DaemonUnderTest) {
    this.simulator = simulator;
    this.witness = witness;
    this.daemon = daemon;
  }

  /** Live, with a session that has been heard, and a consumer that reads. */
  static async open(setup: Omit<DaemonSetup, 'restUrl'>, rate = 200): Promise<GapStage> {
    const witness = new Witness();
    const simulator = await startSimulator({ rate, ...witness.options });
    const daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, ...setup });
    const stage = new GapStage(simulator, witness, daemon);
    await daemon.reaches('live');
    await stage.listen();
    const { session } = await daemon.statusWhere(
      'a heartbeat, and the events of a second',
      ({ session: { heartbeat }, journal: { head } }) => heartbeat.lastAckAt !== null && head >= rate,
    );
    stage.rttMs = session.heartbeat.rttMs ?? 0;
    return stage;
  }

  /** Has a consumer read from the oldest event on, or go on behind the last; once for each start of the daemon. */
  async listen(): Promise<void> {
    const last = this.lines.at(-1);
    const from = last === undefined ? 'oldest' : { epoch: this.#epoch, seq: last.params.seq + 1 };
    this.#consumers.push(await RawConsumer.subscribe(this.daemon.eventsSocket, { from }));
  }

  get #epoch(): string {
    const [hello] = this.#consumers[0]?.lines ?? [];
    return hello?.params.epoch ?? '';
  }

  get lines(): readonly Line[] {
    return this.#consumers.flatMap((consumer) => consumer.events());
  }

  /** The session that was lost, as the venue remembers it. */
  get lost(): ConnectionStats {
    const lost = this.simulator.venue.stats.closedConnections.find(
      ({ authenticatedAt }) => authenticatedAt !== undefined,
    );
    if (lost === undefined) throw new Error('the venue has lost no session');
    return lost;
  }

  /** When the latest session was subscribed. */
  get subscribedAt(): number {
    return this.witness.subscriptions.at(-1)?.at ?? Number.NaN;
  }

  /** Waits for the end of the one gap, then for the last event, and returns the gap as the ledger has it. */
  async healed(ms: number): Promise<GapRecord> {
    await this.daemon.statusWhere(
      'live, with one gap that is closed',
      ({ state, gaps }) => state === 'live' && gaps.total === 1 && gaps.open === 0,
      ms,
    );
    this.simulator.venue.stop();
    const last = this.witness.published.at(-1);
    await until('the last event', () => {
      const line = this.lines.findLast(({ params }) => !params.channel.startsWith('figd.'));
      return line !== undefined && frameOf(line) === last?.frame;
    });
    const { code, stdout } = await this.daemon.command('outages', '--json');
    const { gaps } = JSON.parse(stdout) as OutageDocument;
    expect({ code, gaps: gaps.length }).toEqual({ code: 0, gaps: 1 });
    const [gap] = gaps;
    if (gap === undefined) throw new Error('the ledger is empty');
    return gap;
  }

  /** The figd.gap events tell what the ledger has. */
  expectGapEventsLike({ id, cause, since, until: end, blindMs, channels, reconciled }: GapRecord): void {
    const told = this.#messages<GapMessage>('figd.gap');
    const open = { phase: 'open', id, cause, since, channels };
    expect(told.filter(({ phase }) => phase === 'open').map((message) => ({ ...open, ...message }))).toEqual(
      told.filter(({ phase }) => phase === 'open').map(() => open),
    );
    expect(told.at(-1)).toEqual({ phase: 'closed', id, until: end, blindMs, reconciled });
    expect(told.filter(({ phase }) => phase === 'closed')).toHaveLength(1);
  }

  /**
   * Every event that is missing lies in the gap, and none came twice.
   * @param gap in true milliseconds
   */
  expectNothingLostOutside(gap: { readonly since: number; readonly until: number }, slackMs: number, lateMs?: number) {
    const isExcused = ({ at }: EventRecord) => at >= gap.since - slackMs && at <= gap.until + slackMs;
    const { missing, surplus } = accountFor(this.witness.sinceSubscribed(), this.lines, { isExcused, lateMs });
    expect(surplus.map(({ text }) => text)).toEqual([]);
    expect(missing.filter((event) => !isExcused(event))).toEqual([]);
  }

  /** What a reader knows of each RFQ, by events and by what was fetched afterwards, is what the venue knows. */
  expectBookInStep(): void {
    const atVenue = statuses(this.witness.sinceSubscribed().map(({ frame }) => frame));
    const known = statuses(this.lines.map(frameOf));
    const differing = [...atVenue].filter(([id, status]) => known.get(id) !== status);
    expect(differing.map(([id, status]) => ({ id, status, known: known.get(id) }))).toEqual([]);
  }

  /** How many RFQs changed while nobody of ours listened. */
  rfqsChangedUnheard(): number {
    return statuses(this.witness.sinceSubscribed().flatMap(({ frame, listeners }) => (listeners === 0 ? [frame] : [])))
      .size;
  }

  /** Live, then down for that reason first, then live; with null, nothing between two starts. */
  expectStates(reason: RegExp | null): void {
    const told = this.#messages<StateMessage>('figd.state');
    const states = told.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
    expect(states).toEqual(reason === null ? ['live'] : ['live', 'down', 'live']);
    if (reason !== null) expect(told.find(({ state }) => state === 'down')?.reason).toMatch(reason);
  }

  #messages<Message>(channel: string): readonly Message[] {
    return this.lines.flatMap(({ params }) => (params.channel === channel ? [params.message as Message] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const consumer of this.#consumers) consumer[Symbol.dispose]();
    await this.daemon[Symbol.asyncDispose]();
    await this.simulator.close();
  }
}
