import { describe, expect, test } from 'vitest';
import { passingNumbers } from '../../src/log/numbers.ts';
import { RfqIndex } from '../../src/log/rfq-index.ts';
import { type RfqFacts, readRfq } from '../../src/protocol/rfq.ts';
import { receivedAt, testLog } from './support.ts';

const rfq = (rfqId: number, told: Record<string, unknown> = {}) => ({
  rfqId,
  status: 'open',
  role: 'maker',
  amount: 25,
  quotes: [],
  createdAt: 1_000,
  expiresAt: 9_000,
  ...told,
});
const facts = (rfqId: number, told: Record<string, unknown> = {}): RfqFacts => {
  const read = readRfq(rfq(rfqId, told));
  if (read === null) throw new Error('this is no RFQ');
  return read;
};
const frame = (channel: string, data: unknown) => ({
  jsonrpc: '2.0',
  method: 'subscription',
  params: { channel, data },
});

function setUp(options?: Parameters<typeof testLog>[0]) {
  const { log, add } = testLog(options);
  const index = new RfqIndex(log);
  const tell = (channel: string, data: unknown) => add(channel, frame(channel, data));
  const readAll = () => {
    while (!index.readOn());
  };
  return { log, add, index, tell, readAll };
}

describe('an RFQ', () => {
  test('is known as the latest event told it, with the number of that event and when it came', () => {
    const { index, tell, readAll } = setUp();
    tell('rfq.maker', rfq(1));
    tell('rfq.taker', rfq(2, { role: 'taker' }));
    tell('rfq.maker', rfq(1, { status: 'filled' }));
    readAll();
    expect([index.get(1), index.get(2), index.size]).toEqual([
      { rfq: facts(1, { status: 'filled' }), seq: 3, receivedAt },
      { rfq: facts(2, { role: 'taker' }), seq: 2, receivedAt },
      2,
    ]);
  });

  test('is known when it was published because it had been missed', () => {
    const { add, index, readAll } = setUp();
    add('figd.reconcile', { gap: 1, channel: 'rfq.maker', data: rfq(1) });
    readAll();
    expect(index.get(1)).toEqual({ rfq: facts(1), seq: 1, receivedAt });
  });

  test('is older than any event of a new epoch, and known by what comes in that', () => {
    const numbers = {
      ...passingNumbers('e1'),
      used: () => 2,
      raise: (seq: number) => (seq === 1 ? { epoch: 'e1', ceiling: 2 } : { epoch: 'e2', ceiling: 10 }),
    };
    const { log, index, tell, readAll } = setUp({ numbers });
    tell('rfq.maker', rfq(1));
    tell('rfq.maker', rfq(2));
    readAll();
    tell('rfq.maker', rfq(3));
    expect([1, 2].map((id) => index.get(id)?.seq)).toEqual([0, 0]);
    readAll();
    expect([log.epoch, log.head]).toEqual(['e2', 1]);
    expect([1, 2, 3].map((id) => index.get(id)?.seq)).toEqual([0, 0, 1]);
  });

  test('is not known before the log was read', () => {
    const { index, tell } = setUp();
    tell('rfq.maker', rfq(1));
    expect(index.get(1)).toBeUndefined();
  });

  test('is not what other channels and figd’s own facts tell', () => {
    const { add, index, tell, readAll } = setUp();
    tell('rfq_quote.maker', { rfqQuoteId: 5, rfqId: 1, event: 'created', status: 'open' });
    add('figd.state', { state: 'live', previous: null, reason: 'r', next: 'n' });
    add('figd.gap', { phase: 'open', id: 1 });
    add('rfq.maker', 'not a frame');
    readAll();
    expect(index.size).toBe(0);
  });

  test('that the list told is known until an event tells more', () => {
    const { index, tell, readAll } = setUp();
    index.learn(facts(1), 0, 0);
    expect(index.get(1)).toEqual({ rfq: facts(1), seq: 0, receivedAt: 0 });
    tell('rfq.maker', rfq(1, { amount: 50 }));
    readAll();
    expect(index.get(1)).toEqual({ rfq: facts(1, { amount: 50 }), seq: 1, receivedAt });
  });
});

describe('reading', () => {
  test('goes on where it stopped, a slice at a time', () => {
    const { index, tell, readAll } = setUp();
    const quotes = Array.from({ length: 30 }, (_, id) => ({
      rfqQuoteId: id,
      price: 0.05,
      amount: 25,
      createdAt: 1_000,
    }));
    for (let id = 1; id <= 200; id++) tell('rfq.maker', rfq(id, { quotes }));
    expect(index.readOn()).toBe(false);
    const first = index.size;
    expect(first).toBeGreaterThan(1);
    expect(first).toBeLessThan(100);
    readAll();
    expect([index.size, index.readOn()]).toEqual([200, true]);
    tell('rfq.maker', rfq(201));
    expect([index.readOn(), index.size]).toEqual([true, 201]);
  });

  test('skips what the log has let go', () => {
    const { log, index, tell, readAll } = setUp({ ringBytes: 65_536 });
    for (let id = 1; id <= 2_000; id++) tell('rfq.maker', rfq(id));
    expect(log.oldest).toBeGreaterThan(1);
    readAll();
    expect([index.size, index.get(2_000)?.seq, index.get(1)]).toEqual([2_001 - log.oldest, 2_000, undefined]);
  });
});

describe('the number of open RFQs', () => {
  test('leaves out what is over, and what has expired though nobody said so', () => {
    const { index } = setUp();
    index.learn(facts(1), 1, 0);
    index.learn(facts(2, { status: 'cancelled' }), 2, 0);
    index.learn(facts(3, { expiresAt: 5_000 }), 3, 0);
    index.learn(facts(4, { expiresAt: undefined }), 4, 0);
    expect([4_999, 5_000, 8_999, 9_000].map((moment) => index.open(moment))).toEqual([3, 2, 2, 1]);
  });
});

describe('forgetting', () => {
  test('leaves what is young, and what is open and has not expired', () => {
    const { index } = setUp();
    index.learn(facts(1), 1, 0);
    index.learn(facts(2, { status: 'filled' }), 2, 0);
    index.learn(facts(3, { expiresAt: 1_500 }), 3, 0);
    index.learn(facts(4, { createdAt: 2_000, status: 'filled' }), 4, 0);
    index.forgetBefore(2_000);
    expect([1, 2, 3, 4].map((id) => index.get(id) !== undefined)).toEqual([true, false, false, true]);
  });

  test('takes the one that was told of least recently, beyond 50,000', () => {
    const { index } = setUp();
    for (let id = 1; id <= 50_000; id++) index.learn(facts(id), id, 0);
    index.learn(facts(1, { amount: 50 }), 50_001, 0);
    index.learn(facts(50_001), 50_002, 0);
    expect([index.size, index.get(1)?.seq, index.get(2)]).toEqual([50_000, 50_001, undefined]);
  });
});
