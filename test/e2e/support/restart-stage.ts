import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import type { OutageDocument } from '../../../src/commands/terminal/outages-view.ts';
import { patternTest } from '../../../src/log/patterns.ts';
import type { SentRecord } from '../../../src/simulator/ports.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/server.ts';
import { until } from '../../support/until.ts';
import { type DaemonSetup, DaemonUnderTest } from '../daemon.ts';
import { ReturningConsumer, Told } from './returning-consumer.ts';

/** Two processes on one host may differ so much about a moment. */
const slackMs = 100;
const filter = ['rfq.*'];

/** A daemon that ends and starts as often as a test wants, between a venue and three consumers that come back. */
export class RestartStage implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly daemon: DaemonUnderTest;
  readonly told = new Told();
  readonly whole: ReturningConsumer;
  readonly filtered: ReturningConsumer;
  readonly slow: ReturningConsumer;
  readonly #sent: readonly SentRecord[];

  private constructor(simulator: Simulator, daemon: DaemonUnderTest, sent: readonly SentRecord[]) {
    this.simulator = simulator;
    this.daemon = daemon;
    this.#sent = sent;
    const { told } = this;
    const path = daemon.eventsSocket;
    this.whole = new ReturningConsumer({ path, told });
    this.filtered = new ReturningConsumer({ path, told, channels: filter });
    this.slow = new ReturningConsumer({ path, told, readsOnly: 20 });
  }

  static async open(setup: Omit<DaemonSetup, 'restUrl'> = {}, rate = 500): Promise<RestartStage> {
    const sent: SentRecord[] = [];
    const simulator = await startSimulator({ rate, httpLimit: 100_000, onSent: (record) => sent.push(record) });
    const config = { session: { backoff: { min: '20ms', max: '200ms' } }, ...setup.config };
    const daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, ...setup, config });
    return new RestartStage(simulator, daemon, sent);
  }

  get stateDirectory(): string {
    return join(this.daemon.directory, 'state');
  }

  /** Waits until the consumer of everything got so many events since it came back. */
  async hears(count: number): Promise<void> {
    await until(`${count} events`, () => this.whole.received >= count, 30_000);
  }

  async kill(): Promise<void> {
    this.daemon.process.child.kill('SIGKILL');
    await this.daemon.process.ended;
    this.#away();
  }

  /** Has it fail inside, as `failing.mjs` was told, and waits for the end. @param prompt what it takes besides */
  async fail(prompt: () => Promise<void> = async () => undefined): Promise<void> {
    this.daemon.process.child.kill('SIGUSR2');
    await prompt();
    await this.daemon.process.ended;
    this.#away();
  }

  async stop(): Promise<void> {
    const { code, stderr } = await this.daemon.process.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    this.#away();
  }

  /** Starts it again, as if it had not dialled lately: figd itself would wait once it has dialled ten times in a minute. */
  launch(): void {
    const ledger = join(this.stateDirectory, 'ledger.db');
    if (existsSync(ledger)) {
      const database = new DatabaseSync(ledger);
      database.exec('DELETE FROM paces');
      database.close();
    }
    this.daemon.launch();
  }

  /** Nothing is sent any more, and all that was has reached everybody. */
  async settle(): Promise<void> {
    await this.daemon.reaches('live', 60_000);
    // Were the last one sent to a process that was just killed, it would be waited for in vain.
    const before = this.#sent.length;
    await until('an event for the session that is live', () => this.#sent.length > before);
    this.simulator.venue.stop();
    this.slow.hurry();
    const { told } = this;
    let seen = '';
    await until(
      'everybody to have everything',
      async () => {
        const last = this.#sent.at(-1);
        const { journal, state, reason } = await this.daemon.status();
        const places = [this.whole, this.slow].map(({ epoch, next }) => `${next} of ${epoch}`);
        seen = `head ${journal.head} of ${journal.epoch}, consumers at ${places.join(', ')}, ${state}: ${reason}, last sent ${last?.frame}`;
        const isHere = JSON.parse(told.lines.get(journal.epoch)?.get(this.#lastVenueSeq(journal.epoch)) ?? '{}');
        if (JSON.stringify(isHere.params?.message) !== JSON.stringify(JSON.parse(String(last?.frame)))) return false;
        return [this.whole, this.slow].every(({ epoch, next }) => epoch === journal.epoch && next > journal.head);
      },
      30_000,
    ).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; ${seen}`);
    });
  }

  /** What is to be true whatever was killed when. */
  async check(): Promise<void> {
    expect(this.told.faults).toEqual([]);
    this.#checkFilter();
    await this.#checkSent();
  }

  #lastVenueSeq(epoch: string): number {
    const lines = [...(this.told.lines.get(epoch) ?? [])].filter(([, text]) => !text.includes('"channel":"figd.'));
    return lines.reduce((last, [seq]) => Math.max(last, seq), 0);
  }

  #away(): void {
    this.whole.received = 0;
    this.slow.cut();
  }

  /** Of what all consumers together were told, the filtered one has each event it wants, or knows it is lost. */
  #checkFilter(): void {
    const wants = patternTest(filter) ?? (() => true);
    const { seqs, lost, unresumed } = this.filtered;
    for (const [epoch, numbers] of seqs) {
      const got = new Set(numbers);
      const first = numbers[0] ?? 0;
      const missing = [...(this.told.lines.get(epoch) ?? [])].filter(
        ([seq, text]) =>
          seq >= first &&
          seq < (numbers.at(-1) ?? 0) &&
          !got.has(seq) &&
          wants(JSON.parse(text).params.channel) &&
          !lost.some((range) => range.epoch === epoch && range.from <= seq && range.to >= seq),
      );
      if (!unresumed.some((result) => result.epoch === epoch)) expect(missing).toEqual([]);
    }
  }

  /** In each session of the venue, what came is what was sent, in order, up to an end that is a gap or told as lost. */
  async #checkSent(): Promise<void> {
    const sessions = [...Map.groupBy(this.#sent, ({ connection }) => connection).values()];
    const missing: SentRecord[] = [];
    let session = 0;
    let at = 0;
    for (const text of this.#venueLines()) {
      const frame = text.slice(text.indexOf('"message":') + '"message":'.length, -2);
      if (sessions[session]?.[at]?.frame !== frame) {
        const [next, start] = find(sessions, session, at, frame);
        if (next === -1) throw new Error(`in session ${session} at ${at}, nobody sent this there: ${text}`);
        if (next === session) missing.push(...(sessions[session] ?? []).slice(at, start));
        else {
          missing.push(...(sessions[session] ?? []).slice(at), ...sessions.slice(session + 1, next).flat());
          missing.push(...(sessions[next] ?? []).slice(0, start));
        }
        session = next;
        at = start;
      }
      at += 1;
    }
    missing.push(...(sessions[session] ?? []).slice(at), ...sessions.slice(session + 1).flat());
    const { stdout } = await this.daemon.command('outages', '--json');
    const { gaps } = JSON.parse(stdout) as OutageDocument;
    const isInGap = ({ sentAt }: SentRecord) =>
      gaps.some(({ since, until: end }) => sentAt >= since - slackMs && sentAt <= (end ?? sentAt) + slackMs);
    expect(missing.filter((record) => !isInGap(record)).map(({ sentAt, frame }) => ({ sentAt, frame }))).toEqual([]);
  }

  /** What came from the venue, in the order of the numbers; the epochs in the order in which they began. */
  #venueLines(): readonly string[] {
    return [...this.told.lines.values()].flatMap((lines) =>
      [...lines].sort(([a], [b]) => a - b).flatMap(([, text]) => (text.includes('"channel":"figd.') ? [] : [text])),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const consumer of [this.whole, this.filtered, this.slow]) consumer[Symbol.dispose]();
    await this.daemon[Symbol.asyncDispose]();
    await this.simulator.close();
  }
}

type Sessions = readonly (readonly SentRecord[])[];

/**
 * Where a frame was sent next, from a place on: the session and the place in it. First at the beginning of a later
 * session, for what a venue sent to a process that was killed stands in two sessions. Else within one: of the last
 * events before a kill one consumer may have been given some, of which the others are told that they are lost.
 */
function find(sessions: Sessions, session: number, at: number, frame: string): readonly [number, number] {
  const begun = sessions.findIndex((records, index) => index > session && records[0]?.frame === frame);
  if (begun !== -1) return [begun, 0];
  for (let index = session; index < sessions.length; index += 1) {
    const start = (sessions[index] ?? []).findIndex(
      (record, place) => record.frame === frame && (index > session || place >= at),
    );
    if (start !== -1) return [index, start];
  }
  return [-1, -1];
}
