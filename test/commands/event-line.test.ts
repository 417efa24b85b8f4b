import { beforeAll, expect, it } from 'vitest';
import { eventLine, lostLine } from '../../src/commands/terminal/event-line.ts';
import { formatCount, formatSpan, plain } from '../../src/commands/terminal/style.ts';

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

const rfq = {
  rfqId: 90417,
  status: 'open',
  description: '26Mar27 90000/130000 RR',
  baseCurrency: 'BTC',
  amount: 25,
  role: 'maker',
  quotes: [],
};
const filled = {
  ...rfq,
  rfqId: 90418,
  status: 'filled',
  role: 'taker',
  tradeDirection: 'buy',
  tradePrice: 0.019,
  tradeAmount: 10,
  quotes: [{ rfqQuoteId: 41277, direction: 'sell' }],
};
const quote = { rfqQuoteId: 41277, rfqId: 90418, direction: 'sell', price: 0.019, amount: 10, event: 'filled' };
const inFrame = (data: unknown) => ({ jsonrpc: '2.0', method: 'subscription', params: { channel: 'c', data } });

it.each([
  ['rfq.maker', inFrame(rfq), 'RFQ 90417 open  BTC 26Mar27 90000/130000 RR ×25  maker'],
  ['rfq.taker', inFrame(filled), 'RFQ 90418 filled  BTC 26Mar27 90000/130000 RR ×25  taker  traded buy 0.019 ×10'],
  [
    'rfq.taker',
    inFrame({ ...filled, status: 'open', tradePrice: undefined }),
    'RFQ 90418 open  BTC 26Mar27 90000/130000 RR ×25  taker  1 quote',
  ],
  ['rfq_quote.maker', inFrame(quote), 'quote 41277 on RFQ 90418  sell 0.019 ×10  filled'],
  ['rfq_quote.maker', { result: { channel: 'c', payload: quote } }, 'quote 41277 on RFQ 90418  sell 0.019 ×10  filled'],
  ['rfq_quote.maker', quote, 'quote 41277 on RFQ 90418  sell 0.019 ×10  filled'],
  ['rfq.maker', inFrame([rfq, filled]), 'RFQ 90417 open  BTC 26Mar27 90000/130000 RR ×25  maker  and 1 more'],
  ['rfq.maker', inFrame({ rfqId: 5 }), 'RFQ 5'],
  ['venue.unrouted', { hello: 'x'.repeat(200) }, `{"hello":"${'x'.repeat(149)}…`],
  ['venue.unrouted', 'no \x1b[31mJSON\n', 'no \ufffd[31mJSON\ufffd'],
  [
    'figd.state',
    { state: 'down', previous: 'live', reason: 'session: gone', next: 'dials again' },
    'live → down  session: gone  dials again',
  ],
  ['figd.state', { state: 'down', previous: null, reason: 'starting', next: 'dials' }, 'down  starting  dials'],
  ['figd.state', { state: 'down', previous: 'down', reason: 'token: no', next: 'asks' }, 'down  token: no  asks'],
  [
    'figd.gap',
    { phase: 'open', id: 3, cause: 'half-open', since: 1, channels: ['rfq.maker', 'rfq.taker'] },
    'gap 3 opened  half-open  rfq.maker, rfq.taker',
  ],
  [
    'figd.gap',
    { phase: 'closed', id: 3, until: 2, blindMs: 1_250, reconciled: true },
    'gap 3 closed  blind for 1.2 s  reconciled',
  ],
  [
    'figd.gap',
    { phase: 'closed', id: 3, until: 2, blindMs: 1_250, reconciled: false },
    'gap 3 closed  blind for 1.2 s  not reconciled: events may be missing',
  ],
  [
    'figd.gap',
    { phase: 'closed', id: 3, until: 2, blindMs: 1_250, reconciled: 'not-attempted' },
    'gap 3 closed  blind for 1.2 s  reconciliation not attempted',
  ],
])('shows an event of %s as a line (%#)', (channel, message, text) => {
  const line = eventLine({ seq: 1235, channel, receivedAt: 1_795_334_400_123.456, session: 1, message }, plain);
  expect(line).toBe(`08:00:00.123    1235  ${channel.padEnd(15)}  ${text}`);
});

it('shows events that are lost', () => {
  expect(lostLine({ from: 1_200, to: 1_234, reason: 'expired' }, plain)).toBe('lost: events 1,200 to 1,234 (expired)');
  expect(lostLine({ from: 1_200, to: null, reason: 'epoch' }, plain)).toBe('lost: events from 1,200 on (epoch)');
  expect(lostLine({ from: null, to: 1_234, reason: 'expired' }, plain)).toBe('lost: events up to 1,234 (expired)');
  expect(lostLine({ from: null, to: null, reason: 'epoch' }, plain)).toBe('lost: events of an earlier epoch (epoch)');
});

it.each([
  [-5, '0.0 s'],
  [9_999, '9.9 s'],
  [59_999, '59 s'],
  [125_000, '2m 5s'],
  [3_599_999, '59m'],
  [11_520_000, '3h 12m'],
  [187_200_000, '2d 4h'],
])('writes %d ms as %s', (ms, text) => {
  expect(formatSpan(ms)).toBe(text);
});

it.each([
  [0, '0'],
  [999, '999'],
  [12_345, '12,345'],
  [1_234_567, '1,234,567'],
])('writes the count %d as %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});
