import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault } from '../../../src/simulator/faults.ts';
import type { Simulator } from '../../../src/simulator/server.ts';
import type { VenueStats } from '../../../src/simulator/stats.ts';
import { Figd } from '../../support/figd.ts';
import { until } from '../../support/until.ts';

export type VenueUrls = Pick<Simulator, 'restUrl' | 'tokenUrl' | 'oauth2TokenUrl' | 'socketUrl' | 'platformSocketUrl'>;

/** The block `venue` that leads to the simulator in a dialect. */
export function venueConfig(dialect: 'quickstart' | 'platform', urls: VenueUrls): Readonly<Record<string, unknown>> {
  const { restUrl, oauth2TokenUrl: tokenUrl, platformSocketUrl: socketUrl } = urls;
  return dialect === 'quickstart' ? { restUrl } : { profile: 'platform', restUrl, tokenUrl, socketUrl };
}

/** For a host that has much else to do. */
const startDeadlineMs = 20_000;

/** `figd simulate` as a process of its own, which writes down every frame it sends. */
export class SimulatorProcess implements AsyncDisposable {
  readonly urls: VenueUrls;
  readonly #figd: Figd;
  readonly #directory: string;

  private constructor(figd: Figd, urls: VenueUrls, directory: string) {
    this.#figd = figd;
    this.urls = urls;
    this.#directory = directory;
  }

  /** @param options as `figd simulate` takes them */
  static async start(...options: readonly string[]): Promise<SimulatorProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'figd-simulate-'));
    const figd = new Figd(['simulate', '--port', '0', '--sent-log', join(directory, 'sent.ndjson'), ...options]);
    const line = await until(
      'where simulate listens',
      () => /^\{"event":"listening".*$/m.exec(figd.stdout)?.[0],
      startDeadlineMs,
    );
    return new SimulatorProcess(figd, JSON.parse(line), directory);
  }

  async stats(): Promise<VenueStats> {
    const reply = await fetch(`${this.urls.restUrl}/simulator/stats`);
    return (await reply.json()) as VenueStats;
  }

  async inject(fault: Fault): Promise<void> {
    const reply = await fetch(`${this.urls.restUrl}/simulator/faults`, { method: 'POST', body: JSON.stringify(fault) });
    if (!reply.ok) throw new Error(await reply.text());
  }

  /** Stops it. @returns the frames it has sent, in order */
  async stop(): Promise<readonly string[]> {
    await this.#figd.stop();
    const lines = (await readFile(join(this.#directory, 'sent.ndjson'), 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => (JSON.parse(line) as { readonly frame: string }).frame);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#figd.child.kill('SIGKILL');
    await this.#figd.ended;
    await rm(this.#directory, { recursive: true, force: true });
  }
}
