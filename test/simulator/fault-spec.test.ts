import { expect, test } from 'vitest';
import { parseFaultSpec } from '../../src/simulator/fault-spec.ts';
import { FaultError, parseFault } from '../../src/simulator/faults.ts';

test.each([
  ['drop', { kind: 'drop' }],
  ['drop@10s', { kind: 'drop', afterMs: 10_000 }],
  ['half-open@20s+15s', { kind: 'half-open', afterMs: 20_000, forMs: 15_000 }],
  ['down+500ms', { kind: 'down', forMs: 500 }],
  [
    'http-status@5s+10s,status=503,path=/v1/auth',
    { kind: 'http-status', afterMs: 5000, forMs: 10_000, status: 503, path: '/v1/auth' },
  ],
  ['drop,code=1012,reason=12', { kind: 'drop', code: 1012, reason: '12' }],
  ['delay+1m,ms=250ms', { kind: 'delay', forMs: 60_000, ms: 250 }],
  [
    'rpc-error,method=v1/subscribe,code=-32603,message=internal error,times=2',
    { kind: 'rpc-error', method: 'v1/subscribe', code: -32603, message: 'internal error', times: 2 },
  ],
  [
    'partial-subscription,channels=rfq.maker+rfq.taker',
    { kind: 'partial-subscription', channels: ['rfq.maker', 'rfq.taker'] },
  ],
])('reads %s', (spec, fault) => {
  expect(parseFaultSpec(spec)).toEqual(fault);
});

test.each([
  ['dorp', 'no kind of fault is called "dorp"; there are drop, half-open,'],
  ['drop@@1s', 'does not read as KIND[@AFTER][+FOR]'],
  ['drop@10', '10 has no unit; write 10s'],
  ['drop,code', '"code" is not key=value'],
  ['drop,cod=1', 'drop has no parameter "cod"; it has afterMs, forMs, times, code, reason'],
  ['drop,code=abc', 'code: "abc" is not a whole number'],
  ['drop,code=1,code=2', 'code is given twice'],
  ['drop@1s,afterMs=2s', 'afterMs is given twice'],
  ['http-status', 'status: is missing'],
  ['malformed+10s', 'malformed: forMs: no such parameter'],
  ['mute,channel=rfq.nobody', 'channel: '],
])('refuses %s, naming what is wrong', (spec, message) => {
  expect(() => parseFaultSpec(spec)).toThrow(FaultError);
  expect(() => parseFaultSpec(spec)).toThrow(message);
});

test.each([
  [undefined, 'kind: missing is not one of drop,'],
  [{ kind: 'toString' }, 'kind: "toString" is not one of drop,'],
  [{ kind: 'delay', ms: -1 }, 'delay: ms: '],
  [{ kind: 'http-status', status: 200 }, 'http-status: status: '],
  [{ kind: 'rpc-error', method: 'auth' }, 'rpc-error: code: is missing; message: is missing'],
])('refuses the data %j, naming the field', (data, message) => {
  expect(() => parseFault(data)).toThrow(message);
});
