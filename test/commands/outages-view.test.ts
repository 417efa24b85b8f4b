import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/commands/terminal/arguments.ts';
import { outageDocument, outagesView } from '../../src/commands/terminal/outages-view.ts';
import { sinceArgument } from '../../src/commands/terminal/since-argument.ts';
import { coloured, plain } from '../../src/commands/terminal/style.ts';
import type { GapRecord, OutageReport } from '../../src/protocol/ledger.ts';

const now = new Date(2_026, 9, 7, 12).getTime();
const hourMs = 3_600_000;
const channels = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'];
const since = new Date(2_026, 9, 7, 9, 20, 0, 123).getTime();
const gap: GapRecord = {
  id: 9,
  cause: 'half-open',
  since,
  until: since + 3_100,
  blindMs: 3_100,
  channels,
  clockOffsetMs: null,
  reconciled: true,
};
const lastDay = sinceArgument('24h', now);

function report(gaps: readonly GapRecord[], beganAt = 0): OutageReport {
  return { now, beganAt, gaps };
}

function lines(...args: Parameters<typeof outagesView>): readonly string[] {
  return outagesView(...args).split('\n');
}

it('shows a line a gap, and how much of the period was live', () => {
  const gaps: readonly GapRecord[] = [
    { ...gap, reconciled: false },
    {
      ...gap,
      id: 10,
      since: since + 10_000,
      until: since + 10_040,
      blindMs: 40,
      channels: ['rfq.maker'],
      reconciled: 'not-attempted',
    },
    { ...gap, id: 11, since: now - 65_000, until: null, blindMs: null, channels: ['a', 'b', 'c'], reconciled: null },
  ];
  expect(lines(report(gaps), lastDay, plain)).toEqual([
    'id  began                    cause      blind               channels      reconciled',
    ' 9  2026-10-07 09:20:00.123  half-open  3.1 s               all           no',
    '10  2026-10-07 09:20:10.123  half-open  40 ms               rfq.maker     not attempted',
    '11  2026-10-07 11:58:55.000  half-open  still blind, 1m 5s  a and 2 more  pending',
    '',
    'live 99.92 %, 3 gaps, 1m 8s blind in the last 24h',
    '',
  ]);
});

it('says when there was none', () => {
  expect(outagesView(report([]), lastDay, plain)).toBe('live 100 %, no gaps in the last 24h\n');
  expect(outagesView(report([]), lastDay, coloured)).toContain('\x1b[32mlive 100 %');
});

describe('the share that was live', () => {
  it.each([
    [0, 'live 99.99 %, 1 gap, 0.0 ms blind'],
    [0.4, 'live 99.99 %, 1 gap, 0.4 ms blind'],
    [3_455, 'live 99.99 %, 1 gap, 3.4 s blind'],
    [17_280, 'live 99.98 %, 1 gap, 17 s blind'],
    [12 * hourMs, 'live 50.00 %, 1 gap, 12h 0m blind'],
    [24 * hourMs, 'live 0.00 %, 1 gap, 1d 0h blind'],
  ])('with a gap of %d ms in a day is never rounded up', (blindMs, words) => {
    const text = outagesView(report([{ ...gap, since: now - blindMs, until: now, blindMs }]), lastDay, plain);
    expect(text.split('\n').at(-2)).toBe(`${words} in the last 24h`);
  });

  it('counts only what is inside the period', () => {
    const begin = now - 24 * hourMs;
    const long = { ...gap, since: begin - hourMs, until: begin + hourMs, blindMs: 2 * hourMs };
    expect(lines(report([long]), lastDay, plain).slice(-2)[0]).toBe('live 95.83 %, 1 gap, 1h 0m blind in the last 24h');
    expect(lines(report([long]), lastDay, plain)[1]).toContain('2h 0m');
    expect(outageDocument(report([long]), lastDay)).toEqual({
      since: begin,
      until: now,
      livePercent: expect.closeTo((100 * 23) / 24, 9),
      completePercent: expect.closeTo((100 * 23) / 24, 9),
      blindMs: hourMs,
      gaps: [long],
    });
  });

  it('is told beside the share in which all channels were heard, where single ones were not', () => {
    const ofTaker = { cause: 'channels-refused', channels: ['rfq.taker'] };
    const deaf = { ...gap, ...ofTaker, since: now - 6 * hourMs, until: now, blindMs: 6 * hourMs };
    const blind = { ...gap, since: now - 12 * hourMs, until: now, blindMs: 12 * hourMs };
    const last = (gaps: readonly GapRecord[]) => lines(report(gaps), lastDay, plain).at(-2);
    expect(last([deaf])).toBe('live 100 %, all channels 75.00 %, 1 gap, 0.0 ms blind in the last 24h');
    expect(last([deaf, blind])).toBe('live 50.00 %, 2 gaps, 12h 0m blind in the last 24h');
    expect(
      last([
        { ...deaf, until: null, blindMs: null },
        { ...gap, since: now - hourMs, until: now, blindMs: 1 },
      ]),
    ).toBe('live 99.99 %, all channels 75.00 %, 2 gaps, 1.0 ms blind in the last 24h');
  });

  it('is not claimed for the time before the ledger was begun', () => {
    const beganAt = now - 2 * hourMs;
    const half = { ...gap, since: now - hourMs, until: now, blindMs: hourMs };
    expect(lines(report([half], beganAt), lastDay, plain).at(-2)).toBe(
      'live 50.00 %, 1 gap, 1h 0m blind in the 2h 0m since the ledger was begun (2026-10-07 10:00:00.000)',
    );
    expect(outageDocument(report([half], beganAt), lastDay)).toMatchObject({ since: beganAt, livePercent: 50 });
  });
});

it('tells the days one by one above two of them', () => {
  const night = new Date(2_026, 9, 6).getTime();
  const overMidnight = { ...gap, since: night - hourMs, until: night + hourMs, blindMs: 2 * hourMs };
  expect(lines(report([overMidnight]), sinceArgument('48h', now), plain)).toHaveLength(5);
  expect(lines(report([overMidnight]), sinceArgument('2026-10-05', now), plain).slice(2)).toEqual([
    '',
    '2026-10-05  live 95.83 %, 1 gap, 1h 0m blind',
    '2026-10-06  live 95.83 %, 1 gap, 1h 0m blind',
    '2026-10-07  live 100 %, no gaps',
    'live 96.66 %, 1 gap, 2h 0m blind since 2026-10-05',
    '',
  ]);
});

it('shows nothing that could move the cursor', () => {
  const hostile = { ...gap, cause: '\x1b[2J', channels: ['a\n'] };
  expect(lines(report([hostile]), lastDay, plain)[1]).toContain('\ufffd[2J');
  expect(lines(report([hostile]), lastDay, plain)).toHaveLength(5);
});

describe('--since', () => {
  it.each([
    ['24h', now - 24 * hourMs, 'in the last 24h'],
    ['7d', now - 168 * hourMs, 'in the last 7d'],
    ['99999999d', 0, 'in the last 99999999d'],
    ['2026-10-07', new Date(2_026, 9, 7).getTime(), 'since 2026-10-07'],
    ['2026-10-07T09:30', new Date(2_026, 9, 7, 9, 30).getTime(), 'since 2026-10-07T09:30'],
    ['2026-10-06 09:30:01.5Z', Date.UTC(2_026, 9, 6, 9, 30, 1, 500), 'since 2026-10-06 09:30:01.5Z'],
    ['2026-10-06T09:30+02:00', Date.UTC(2_026, 9, 6, 7, 30), 'since 2026-10-06T09:30+02:00'],
    ['2024-02-29', new Date(2_024, 1, 29).getTime(), 'since 2024-02-29'],
  ])('%s', (text, at, words) => {
    expect(sinceArgument(text, now)).toEqual({ at, words });
  });

  it.each(['', 'yesterday', '24', '2026-02-30', '2026-13-01', '2026-10-07T25:00', '2026-10', '-5h'])(
    'not %s',
    (text) => {
      const message = `--since is a duration such as 24h or 7d, or a date such as 2026-10-07T09:30, not ${text}`;
      expect(() => sinceArgument(text, now)).toThrow(new UsageError(message));
    },
  );

  it('not the future', () => {
    expect(() => sinceArgument('2026-10-08', now)).toThrow(
      new UsageError('--since is in the past, and 2026-10-08 is not'),
    );
  });
});
