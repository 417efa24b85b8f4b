import { describe, expect, test } from 'vitest';
import type { MemoryResult } from '../../bench/measures/memory.ts';
import { parseOptions, UsageError } from '../../bench/options.ts';
import { countOf, figure } from '../../bench/output.ts';
import { parseMemory, parseSchedstat } from '../../bench/proc.ts';
import { selfTimes } from '../../bench/profile.ts';
import { resultsPage } from '../../bench/report/page.ts';
import { cpuPlot, latencyPlot, memoryPlot, throughputPlot } from '../../bench/report/plots.ts';
import { median, medianOf, ratioOf, type Sample, slopeOf } from '../../bench/report/samples.ts';
import { linearScale, logScale, short, shortTime } from '../../bench/report/scale.ts';
import { escapeXml } from '../../bench/report/svg.ts';
import { verdicts } from '../../bench/report/targets.ts';

const throughput = (
  contender: Sample['contender'],
  consumers: number,
  round: number,
  perSecond: number,
  cpuMicros = 10,
) => ({ measure: 'throughput', contender, consumers, round, values: { perSecond, cpuMicros } }) as const;
const latency = (contender: Sample['contender'], consumers: number, p50: number, p99: number) =>
  ({ measure: 'latency', contender, consumers, round: 1, values: { p50, p99, p999: p99 * 2, cpuMicros: 50 } }) as const;

const samples: readonly Sample[] = [
  throughput('figd', 10, 1, 60_000),
  throughput('figd', 10, 2, 90_000),
  throughput('figd', 10, 3, 30_000),
  throughput('figd', 100, 1, 9_000, 100),
  throughput('relay', 10, 1, 30_000),
  throughput('relay', 10, 2, 60_000),
  throughput('relay', 10, 3, 10_000),
  throughput('nats', 10, 1, 15_000),
  throughput('redis', 10, 1, 30_000),
  latency('direct', 1, 40, 80),
  latency('figd', 1, 100, 450),
  latency('relay', 1, 100, 290),
];

const nothing = { messages: 0, missing: 0, doubled: 0, told: 0, complete: true };
const held = (seconds: number) => ({ seconds, resident: 90e6 + seconds * 1e6, anonymous: 40e6 });
const memory: MemoryResult = {
  contender: 'figd',
  events: 10_000_000,
  consumers: 100,
  samples: [0, 1, 2, 3].map(held),
  before: held(0),
  half: held(1),
  sent: held(2),
  end: held(3),
  most: held(3),
  sendingSeconds: 2,
  catchingUpSeconds: 1,
  reading: nothing,
  stalled: nothing,
  restless: nothing,
  returns: 2,
  isComplete: true,
};

const machine = {
  date: '2026-11-25T18:00:00.000Z',
  cpu: 'Some CPU',
  cores: 2,
  memoryBytes: 16 * 2 ** 30,
  load: 0.12,
  kernel: '6.1',
  node: 'v26.10.0',
  commit: 'abcdef0',
  brokers: { nats: '2.9.10', redis: '7.0.15', mosquitto: null },
};

describe('samples', () => {
  test('have a median, also of an even number or of none', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN]);
  });

  test('are compared round by round', () => {
    const question = { measure: 'throughput', contender: 'figd', consumers: 10, value: 'perSecond' } as const;
    expect(medianOf(samples, question)).toBe(60_000);
    expect(ratioOf(samples, question, ['relay'], true)).toBe(2);
    expect(ratioOf(samples, question, ['nats', 'redis'], true)).toBe(2);
    expect(ratioOf(samples, question, ['nats', 'redis'], false)).toBe(4);
    expect(ratioOf(samples, question, ['mosquitto'], true)).toBeNaN();
  });

  test('give the cost of a further consumer', () => {
    expect(slopeOf(samples, 'throughput', 'figd')).toBe(1);
    expect(slopeOf(samples, 'throughput', 'relay')).toBeNaN();
  });
});

describe('targets', () => {
  const found = new Map(verdicts(samples, memory).map(({ what, isMet }) => [what, isMet]));

  test.each([
    ['throughput to 10 consumers, against minimal relay', true],
    ['throughput to 10 consumers, against NATS', true],
    ['throughput to 10 consumers, against Redis', false],
    ['throughput to 10 consumers, against Mosquitto', null],
    ['p50 of the added latency to 1, against the relay', true],
    ['p99 of the added latency to 1, against the relay', false],
    ['CPU per message and further consumer, flat out', true],
    ['start of figd until live', null],
    ['resident memory after 10,000,000 events, 100 consumers, one stalled', true],
  ])('%s: %s', (what, isMet) => {
    expect(found.get(what)).toBe(isMet);
  });
});

describe('page', () => {
  test('has a row for each contender, and says what was not measured', () => {
    const page = resultsPage({ machine, samples, memory });
    expect(page).toContain('| figd | 60,000 | 2.00 | 2.00 | 9,000 | – | – |');
    expect(page).toContain('Mosquitto (not installed); 3 rounds; load before 0.12.');
    expect(page).toContain('The feed alone, straight to one consumer: 40.0 µs.');
    expect(page).toContain('Each consumer got each event exactly once.');
    expect(page).not.toContain('NaN');
  });

  test('says where the machine was busy', () => {
    expect(resultsPage({ machine: { ...machine, load: 4 }, samples, memory })).toContain('**The machine was busy.**');
  });

  test('has tables with as many cells in each row', () => {
    for (const part of resultsPage({ machine, samples, memory }).split('\n\n')) {
      const rows = part.split('\n').filter((line) => line.startsWith('|'));
      expect(new Set(rows.map((row) => row.split('|').length)).size).toBeLessThanOrEqual(1);
    }
  });
});

describe('plots', () => {
  test.each([
    ['throughput', throughputPlot(samples)],
    ['latency', latencyPlot(samples)],
    ['CPU', cpuPlot(samples)],
    ['memory', memoryPlot(memory, 120e6)],
  ])('%s is a whole drawing with numbers alone for coordinates', (_name, svg) => {
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
    expect(svg).toMatch(/<\/svg>\n$/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const opened = svg.match(/<(svg|title|style|text)\b/g)?.length;
    expect(svg.match(/<\/(svg|title|style|text)>/g)?.length).toBe(opened);
  });

  test('escape what has a meaning in XML', () => {
    expect(escapeXml('<a & "b">')).toBe('&lt;a &amp; &quot;b&quot;&gt;');
  });
});

describe('scales', () => {
  test('are linear with round ticks', () => {
    const scale = linearScale(87_000, { from: 100, to: 200 });
    expect(scale.ticks).toEqual([0, 25_000, 50_000, 75_000, 100_000]);
    expect(scale.place(50_000)).toBe(150);
  });

  test('are linear below zero too, where the least is there', () => {
    const scale = linearScale(3, { from: 0, to: 100 }, 4, -1.5);
    expect(scale.ticks).toEqual([-2, 0, 2, 4]);
    expect(scale.place(1)).toBe(50);
  });

  test('are logarithmic from power to power', () => {
    const scale = logScale([37, 4_100], { from: 0, to: 300 });
    expect(scale.ticks).toEqual([10, 100, 1_000, 10_000]);
    expect(scale.place(100)).toBeCloseTo(100);
  });

  test('label in the unit that fits', () => {
    expect([1, 1_500, 2e6].map(short)).toEqual(['1', '1.5 k', '2 M']);
    expect([10, 1_000, 2e6].map(shortTime)).toEqual(['10 µs', '1 ms', '2 s']);
    expect([0.1234, 12.34, 1_234.5, Number.NaN].map(figure)).toEqual(['0.12', '12.3', '1,235', '–']);
    expect(countOf(1_234_567)).toBe('1,234,567');
  });
});

describe('options', () => {
  test('have a quick and a full form', () => {
    expect(parseOptions([])).toMatchObject({
      mode: 'compare',
      rounds: 5,
      consumers: [1, 10, 100],
      out: 'bench/results',
    });
    const quick = parseOptions(['--quick']);
    expect(quick.rounds).toBe(1);
    expect(quick.measures).not.toContain('reconnect');
  });

  test('choose measures and contenders, in the usual order', () => {
    const chosen = parseOptions(['--only', 'stall,throughput', '--contenders', 'redis,figd', '--consumers', '1,5']);
    expect(chosen).toMatchObject({
      measures: ['throughput', 'stall'],
      contenders: ['figd', 'redis'],
      consumers: [1, 5],
    });
  });

  test('profile one round of figd', () => {
    expect(parseOptions(['--cpu-prof', 'd'])).toMatchObject({ mode: 'profile', rounds: 1, contenders: ['figd'] });
  });

  test.each([[['--only', 'speed']], [['--rounds', '0']], [['--fast']], [['--memory', '--cpu-prof', 'd']]])(
    '%j are refused',
    (args) => {
      expect(() => parseOptions(args)).toThrow(UsageError);
    },
  );
});

test('reads the files of /proc', () => {
  expect(parseSchedstat('5275013 1200 7\n')).toBe(5_275_013);
  const status = 'Name:\tnode\nVmRSS:\t   43060 kB\nRssAnon:\t    8012 kB\nThreads:\t11\n';
  expect(parseMemory(status)).toEqual({ resident: 43_060 * 1_024, anonymous: 8_012 * 1_024 });
  expect(parseMemory('Name:\tzombie\n').resident).toBeNaN();
});

test('tells in which functions the time went, without the idle time', () => {
  const frame = (functionName: string) => ({ functionName, url: '', lineNumber: 0 });
  const nodes = [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('parse') },
    { id: 3, callFrame: frame('write') },
  ];
  const profile = { nodes, samples: [1, 2, 3, 3], timeDeltas: [500, 25, 50, 25] };
  expect(selfTimes(profile)).toEqual([
    { name: 'write', share: 0.75 },
    { name: 'parse', share: 0.25 },
  ]);
});
