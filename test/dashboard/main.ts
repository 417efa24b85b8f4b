import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from '../../build/bundle.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { dashboard } from './definition.ts';
import { fill } from './filled.ts';
import { picture } from './picture.ts';
import { openStage } from './stage.ts';

const file = 'docs/dashboard.svg';
const minutes = 12;
const scraping = { instance: 'localhost:9464', scrapeSeconds: 5 };
const betweenCallsMs = 200;

type Stage = Awaited<ReturnType<typeof openStage>>;

/** Something breaks at the venue. */
const fault = (kind: Fault) => (stage: Stage) => void stage.simulator.venue.inject(kind);

/** What happens, by the second: a story with something to see in most panels. */
const story: readonly (readonly [atSecond: number, happens: (stage: Stage) => unknown])[] = [
  [30, fault({ kind: 'delay', ms: 300, forMs: 40_000 })],
  [90, fault({ kind: 'drop' })],
  [130, ({ consumer }) => consumer.pause()],
  [200, fault({ kind: 'down', forMs: 30_000 })],
  [270, ({ consumer }) => consumer.resume()],
  // Long enough for the token to end before it can be renewed.
  [320, fault({ kind: 'http-status', status: 503, path: '/v1/auth', forMs: 60_000 })],
  [430, fault({ kind: 'half-open', forMs: 15_000 })],
  [490, ({ simulator }) => simulator.venue.burst(2_000)],
  [530, fault({ kind: 'refuse-credentials', forMs: 40_000 })],
  [530, fault({ kind: 'expire-tokens' })],
  [572, ({ daemon }) => daemon.command('refresh')],
];

await using stage = await openStage({
  ...scraping,
  venue: { rate: 40, tokenLife: 150_000 },
  config: { local: { consumerBuffer: '64KiB' } },
});
const start = Math.ceil(Date.now() / 1_000);
const end = start + minutes * 60;
await Promise.all([call(), tell()]);
const span = { start, end, step: scraping.scrapeSeconds };
const variables = { ...scraping, stepSeconds: span.step };
const filled = await Promise.all(dashboard.panels.map((panel) => fill(panel, stage.prometheus, { span, variables })));
const subtitle = `Drawn from deploy/grafana/figd.json and the figures of ${minutes} minutes of figd on the simulator, not a screenshot of Grafana`;
writeFileSync(join(root, file), picture(filled, span, subtitle));

async function call(): Promise<void> {
  while (Date.now() < end * 1_000) {
    await stage.call();
    await pause(betweenCallsMs);
  }
}

async function tell(): Promise<void> {
  for (const [second, happens] of story) {
    await pause(Math.max(0, (start + second) * 1_000 - Date.now()));
    await happens(stage);
  }
}
