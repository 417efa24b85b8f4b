import { describe, expect, it } from 'vitest';
import { headline, statusView } from '../../src/commands/terminal/status-view.ts';
import { coloured, plain } from '../../src/commands/terminal/style.ts';
import { blockedDocument, degradedDocument, downDocument, liveDocument, now } from './support/status-documents.ts';

describe('the first line of the status', () => {
  const cases = [
    [
      'live',
      liveDocument,
      'live for 3h 12m · token renews in 41m · heartbeat 0.8 ms · 4/4 channels · 12,345 events, last 0.2 s ago · 2 consumers',
    ],
    [
      'live on a market that has been quiet from the start',
      {
        ...liveDocument,
        channels: liveDocument.channels.map((channel) => ({ ...channel, events: 0, lastEventAt: null })),
        consumers: liveDocument.consumers.slice(0, 1),
      },
      'live for 3h 12m · token renews in 41m · heartbeat 0.8 ms · 4/4 channels · no events yet · 1 consumer',
    ],
    [
      'down',
      downDocument,
      'down for 12 s: session — connection refused by 127.0.0.1:7464 · next try in 3.2 s (attempt 4)',
    ],
    [
      'degraded',
      degradedDocument,
      'degraded for 2m 5s: subscriptions — the venue refuses rfq.taker; 3 of 4 channels are live · figd asks for them again',
    ],
    [
      'blocked',
      blockedDocument,
      'blocked for 50m: the venue refuses the credentials · Check client id and secret with `figd check`.',
    ],
  ] as const;

  it.each(cases)('%s', (_name, document, line) => {
    expect(headline(document, now, plain)).toBe(line);
    expect(statusView(document, now, plain).split('\n')[0]).toBe(line);
  });

  it('says it in colour on a terminal', () => {
    expect(headline(downDocument, now, coloured)).toContain('\x1b[31mdown for 12 s');
  });

  it('shows nothing of the venue that could move the cursor', () => {
    const hostile = { ...downDocument, reason: 'session: \x1b[2Jgone\n' };
    expect(headline(hostile, now, plain)).toContain('session — \ufffd[2Jgone\ufffd');
  });
});

it.each([
  [{ enabled: true, oldest: 1, head: 0, written: 0, bytes: 4_096 }, ['no events yet, all written, 4.0 KiB on disk']],
  [
    { enabled: true, oldest: 7, head: 1_007, written: 1_000, bytes: 2 ** 30, trouble: 'the disk is full' },
    ['events 7 to 1,007, 7 not written yet, 1.0 GiB on disk', 'the disk is full'],
  ],
])('shows how far back events are kept: %j', (journal, lines) => {
  const document = { ...liveDocument, journal: { ...liveDocument.journal, ...journal } };
  const view = statusView(document, now, plain).split('\n');
  const at = view.findIndex((line) => line.startsWith('journal'));
  expect(view.slice(at, at + lines.length).map((line) => line.slice(11))).toEqual(lines);
});

it('shows what stands behind a state', () => {
  expect(statusView(downDocument, now, plain).split('\n').slice(1)).toEqual([
    'why        session: connection refused by 127.0.0.1:7464',
    '           figd tries again in 3.2 s (attempt 4)',
    'layers     ✓ transport     as it should be, for 3h 12m',
    '           ✗ session       connection refused, for 12 s',
    '           ✓ token         as it should be, for 3h 12m',
    '           ✓ subscriptions as it should be, for 3h 12m',
    '           ✓ data          as it should be, for 3h 12m',
    'token      valid, renews in 41m, expires in 53m, renewed 3 times',
    'session    backoff, ws://127.0.0.1:7464, up 3h 12m, heartbeat answered 3.1 s ago, venue clock 1.2 ms behind',
    'channels   rfq.maker        confirmed, 12,345 events, last 0.2 s ago',
    '           rfq.taker        confirmed, 0 events',
    '           rfq_quote.maker  confirmed, 0 events',
    '           rfq_quote.taker  confirmed, 0 events',
    'consumers  #1 * at 12,346, in step, for 2h 0m',
    '           #2 rfq.* at 11,000, 1,346 behind, 1.0 MiB buffered, for 1m 30s',
    'journal    off, events 1 to 12,345, in memory only',
    'gateway    /run/figd/gateway.sock, 2 calls in flight, 12 of 1,000 requests a minute used',
    'gaps       0 open of 2, blind for 3.4 s in all',
    'daemon     figd 0.1.0, pid 4242, up 3h 13m',
    '',
  ]);
});
