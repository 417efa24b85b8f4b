import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.ts';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** By time, in Unix seconds. */
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

type Sample = readonly [number, string];

interface Result {
  readonly metric: Series['labels'];
  readonly value?: Sample;
  readonly values?: readonly Sample[];
}

export interface Scraping {
  /** Where the metrics are, host and port. */
  readonly target: string;
  /** What the label `instance` says. */
  readonly instance: string;
  readonly scrapeSeconds: number;
}

const startDeadlineMs = 20_000;

/** The real Prometheus, as a process of its own with a directory of its own, that scrapes one figd. */
export class Prometheus implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #directory: string;
  #url = '';

  private constructor(directory: string) {
    this.#directory = directory;
    const places = [`--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${directory}/data`];
    this.#process = spawn('prometheus', [...places, '--web.listen-address=127.0.0.1:0']);
    this.#ended = once(this.#process, 'close');
  }

  static async start({ target, instance, scrapeSeconds }: Scraping): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'figd-prometheus-'));
    const job = { job_name: 'figd', static_configs: [{ targets: [target], labels: { instance } }] };
    const interval = `${scrapeSeconds}s`;
    const global = { scrape_interval: interval, scrape_timeout: interval };
    // JSON is YAML.
    await writeFile(join(directory, 'prometheus.yml'), JSON.stringify({ global, scrape_configs: [job] }));
    const prometheus = new Prometheus(directory);
    let log = '';
    prometheus.#process.stderr?.setEncoding('utf8').on('data', (part: string) => {
      log += part;
    });
    const listening = () => /Listening on" address=(\S+)/.exec(log)?.[1];
    const address = await until('the address of Prometheus', listening, startDeadlineMs).catch(async (error: Error) => {
      await prometheus[Symbol.asyncDispose]();
      throw new Error(`${error.message}\n${log}`);
    });
    prometheus.#url = `http://${address}/api/v1`;
    return prometheus;
  }

  /** @throws what Prometheus says where it does not understand the expression */
  async query(query: string): Promise<readonly Series[]> {
    const { result } = await this.get<{ readonly result: readonly Result[] }>('query', { query });
    return result.map(toSeries);
  }

  /** @param over Unix seconds, and seconds between two points */
  async queryRange(
    query: string,
    over: Readonly<Record<'start' | 'end' | 'step', number>>,
  ): Promise<readonly Series[]> {
    const { result } = await this.get<{ readonly result: readonly Result[] }>('query_range', { query, ...over });
    return result.map(toSeries);
  }

  async get<Data>(path: string, parameters: Readonly<Record<string, string | number>>): Promise<Data> {
    const search = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
    const reply = await fetch(`${this.#url}/${path}?${search}`);
    const { status, error, data } = (await reply.json()) as { status: string; error?: string; data: Data };
    if (status !== 'success') throw new Error(`${parameters['query']}: ${error}`);
    return data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function toSeries({ metric, value, values }: Result): Series {
  const samples = values ?? (value === undefined ? [] : [value]);
  const points = samples.map(([at, text]) => ({ at, value: Number(text) }));
  return { labels: metric, points: points.filter((point) => Number.isFinite(point.value)) };
}
