import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { seededRandom } from '../../src/simulator/random.ts';
import { has } from '../support/has.ts';
import { until } from '../support/until.ts';
import type { Line } from './daemon.ts';
import { RestartStage } from './support/restart-stage.ts';

const example = fileURLToPath(new URL('../../examples/consumer.py', import.meta.url));
const mayRun = has('python3', 'the example of a consumer is not tried');

/** The example as a process that is killed and started again. */
class Example implements AsyncDisposable {
  readonly file: string;
  stderr = '';
  readonly #socket: string;
  #process: ChildProcess;

  constructor(socket: string, file: string) {
    this.#socket = socket;
    this.file = file;
    this.#process = this.#start();
  }

  async killAndStart(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#process = this.#start();
  }

  /** Rows of its file; none before it has made it. */
  rows<Row>(sql: string): readonly Row[] {
    try {
      using database = new DatabaseSync(this.file, { readOnly: true });
      return database.prepare(sql).all() as Row[];
    } catch {
      return [];
    }
  }

  get count(): number {
    return this.rows<{ count: number }>('SELECT count(*) AS count FROM event')[0]?.count ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'close');
  }

  #start(): ChildProcess {
    const child = spawn('python3', [example, this.#socket, this.file], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    return child;
  }
}

interface Place {
  readonly epoch: string;
  readonly seq: number;
}

it.runIf(mayRun)(
  'the example in Python has each event once, though it and figd are killed again and again',
  {
    timeout: 90_000,
  },
  async () => {
    await using stage = await RestartStage.open({}, 200);
    await using program = new Example(stage.daemon.eventsSocket, join(stage.daemon.directory, 'rfqs.db'));
    const random = seededRandom(3);
    for (let round = 0; round < 6; round += 1) {
      const before = program.count;
      const more = 1 + Math.floor(random() * 60);
      await until(`${more} more events, ${program.stderr}`, () => program.count >= before + more, 15_000);
      if (round % 3 === 2) {
        await stage.kill();
        stage.launch();
      } else await program.killAndStart();
    }
    await stage.settle();
    const { journal } = await stage.daemon.status();
    const wanted = [...(stage.told.lines.get(journal.epoch) ?? [])]
      .map(([, text]) => (JSON.parse(text) as Line).params)
      .filter(({ channel }) => channel === 'figd.reconcile' || channel.startsWith('rfq.'))
      .map(({ seq, channel, message }) => ({ epoch: journal.epoch, seq, channel, message }))
      .sort((a, b) => a.seq - b.seq);
    const newest = wanted.at(-1)?.seq ?? 0;
    await until(
      'the newest event',
      () => program.rows<Place>(`SELECT * FROM event WHERE seq = ${newest}`).length === 1,
    );
    const got = program
      .rows<Place & { message: string }>('SELECT epoch, seq, channel, message FROM event ORDER BY seq')
      .map(({ message, ...event }) => ({ ...event, message: JSON.parse(message) as unknown }));
    const lost = program.rows<{ first: number; last: number; reason: string }>('SELECT * FROM lost');
    const isLost = ({ seq }: Place) => lost.some(({ first, last }) => seq >= first && seq <= last);
    expect(got.filter((event) => !isLost(event))).toEqual(wanted.filter((event) => !isLost(event)));
    // A kill of figd costs what was not written yet, and the program was told of it.
    expect(lost.filter(({ reason }) => reason !== 'crash')).toEqual([]);
    expect(lost.length).toBeLessThanOrEqual(2);
    const { stdout } = await stage.daemon.command('outages', '--json');
    const told = (JSON.parse(stdout) as { gaps: readonly { id: number; until: number | null }[] }).gaps;
    const gaps = program.rows<{ id: number; until: number | null }>('SELECT id, until FROM gap ORDER BY id');
    expect(gaps.map(({ id }) => id)).toEqual(told.map(({ id }) => id).sort((a, b) => a - b));
  },
);
