import { expect, test } from 'vitest';
import { figd } from '../support/figd.ts';

test('demo, piped: NDJSON, a fault healed, nothing lost, exit 0', async () => {
  const { code, stdout, stderr } = await figd(['demo', '--seconds', '8', '--rate', '40']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const channels = new Set(lines.map(({ channel }) => channel));
  // Whether an RFQ changed in so short a gap, and was fetched, is up to the market.
  channels.delete('figd.reconcile');
  expect(channels).toEqual(
    new Set([undefined, 'rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker', 'figd.state', 'figd.gap']),
  );
  expect(lines.at(-1)).toMatchObject({
    demo: 'summary',
    lost: 0,
    doubled: 0,
    holes: 0,
    faults: [{ title: 'the venue drops the connection', healedMs: expect.any(Number) }],
  });
});

test('demo --calm breaks nothing', async () => {
  const { code, stdout } = await figd(['demo', '--calm', '--seconds', '2']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ faults: [], gaps: 0, lost: 0 });
});
