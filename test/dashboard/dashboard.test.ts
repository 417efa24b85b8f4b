import { describe, expect, it } from 'vitest';
import { has } from '../support/has.ts';
import { until } from '../support/until.ts';
import { asked, dashboard, queries } from './definition.ts';
import { openStage } from './stage.ts';
import { inUnit } from './units.ts';

const scraping = { instance: 'localhost:9464', scrapeSeconds: 1 };
/** For a host that has much else to do; it takes some seconds. */
const enoughMs = 20_000;

it('every panel has its own place, and says what it shows', () => {
  const taken = new Set<string>();
  for (const { type, title, description, gridPos } of dashboard.panels) {
    if (type !== 'row') expect(description, title).toMatch(/\w.*\.$/);
    for (let column = gridPos.x; column < gridPos.x + gridPos.w; column += 1) {
      for (let line = gridPos.y; line < gridPos.y + gridPos.h; line += 1) {
        expect(taken, title).not.toContain(`${column} ${line}`);
        expect(column, title).toBeLessThan(24);
        taken.add(`${column} ${line}`);
      }
    }
  }
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});

it.each([
  ['s', 0, '0 s'],
  ['s', 0.0004213, '421 µs'],
  ['s', 0.382, '382 ms'],
  ['s', 90, '1.50 mins'],
  ['dtdhms', 93_784, '1 d 02:03:04'],
  ['bytes', 1_572_864, '1.50 MiB'],
  ['short', 20_000, '20 K'],
  ['percentunit', 0.125, '12.5%'],
])('in the picture %s %f is written %s', (unit, value, words) => {
  expect(inUnit(unit, value)).toBe(words);
});

describe.skipIf(!has('prometheus', 'nobody asks what the dashboard asks'))('a Prometheus that watches figd', () => {
  it('answers every query of the dashboard with figures, once a connection was lost and calls were made', async () => {
    await using stage = await openStage({
      ...scraping,
      venue: { rate: 50 },
      config: { session: { heartbeatInterval: '1s' } },
    });
    const { prometheus, simulator, daemon } = stage;
    simulator.venue.inject({ kind: 'drop' });
    await daemon.statusWhere('a gap that is over', ({ gaps: { total, open } }) => total === 1 && open === 0);
    let unanswered = [...queries];
    const figures = async () => {
      await stage.call();
      const answers = unanswered.map(async (query) => {
        const series = await prometheus.query(asked(query[1], { ...scraping, stepSeconds: 1 }));
        // The first gap of all is no increase to Prometheus, and must be told all the same.
        const least = query[0] === 'Blind in 24 hours' ? 1e-6 : Number.NEGATIVE_INFINITY;
        return series.some(({ points }) => points.some(({ value }) => value >= least)) ? [] : [query];
      });
      unanswered = (await Promise.all(answers)).flat();
      return unanswered.length === 0;
    };
    await until('figures for every query', figures, enoughMs).catch((error: Error) => {
      throw new Error(`${error.message}; there are none for ${unanswered.map(([title]) => title).join('; ')}`);
    });

    const hosts = dashboard.templating.list.find(({ name }) => name === 'instance')?.definition ?? '';
    const [, metric = '', label] = /^label_values\((\w+), (\w+)\)$/.exec(hosts) ?? [];
    const values = await prometheus.get(`label/${label}/values`, { 'match[]': metric });
    expect(values).toEqual([scraping.instance]);
  }, 40_000);
});
