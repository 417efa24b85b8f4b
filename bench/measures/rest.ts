import { join } from 'node:path';
import { Client } from 'undici';
import { FigdProcess } from '../contenders/figd.ts';
import { median } from '../report/samples.ts';
import type { Stage } from '../stage.ts';

const target = 'rest';
const path = '/v1/rfq?limit=10';
/** Calls each way before anything is measured: both processes compile what they run often. */
const warmUpCalls = 2_000;
const callsPerRun = 500;
/** Nothing is to wait for the limit of the venue here. */
const requestsPerMinute = 100_000_000;

/**
 * What `gateway.sock` adds to a REST call, in milliseconds: the median of many calls through it, less the median of as
 * many made directly, by turns and each way on one connection that stays open.
 */
export async function addedTimes(stage: Stage, runs: number): Promise<readonly number[]> {
  const restUrl = `http://127.0.0.1:${stage.feedPort}/${target}`;
  const config = { gateway: { http: true }, venue: { restUrl, requestsPerMinute } };
  const figd = new FigdProcess(stage.place(target), { target, journal: true, config });
  await figd.live();
  const direct = new Client(new URL(restUrl).origin);
  const gateway = new Client('http://figd', { socketPath: join(figd.directory, 'gateway.sock') });
  try {
    const pair = async () => [await time(direct, `/${target}${path}`), await time(gateway, path)] as const;
    for (let call = 0; call < warmUpCalls; call += 1) await pair();
    const added: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const pairs: (readonly [number, number])[] = [];
      for (let call = 0; call < callsPerRun; call += 1) pairs.push(await pair());
      added.push(median(pairs.map(([, through]) => through)) - median(pairs.map(([without]) => without)));
    }
    return added;
  } finally {
    await Promise.all([direct.destroy(), gateway.destroy()]);
    await figd.stop();
  }
}

async function time(client: Client, wanted: string): Promise<number> {
  const startedAt = performance.now();
  const { statusCode, body } = await client.request({ method: 'GET', path: wanted });
  await body.dump();
  if (statusCode !== 200) throw new Error(`${wanted} was answered with ${statusCode}`);
  return performance.now() - startedAt;
}
