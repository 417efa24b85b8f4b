import { expect, it } from 'vitest';
import { type AccessRecord, loggable } from '../../src/gateway/access-record.ts';

const record: AccessRecord = { door: 'rest', caller: 1, method: 'GET', path: '/v1/rfq', status: '200', ms: 1 };
const redact = (text: string) => text.replaceAll('secret-token', '[secret]');

it('goes into the log as it is, but for what a caller has made long', () => {
  expect(loggable(record, redact)).toEqual(record);
  expect(loggable({ ...record, path: `/${'x'.repeat(200_000)}` }, redact)).toEqual({
    ...record,
    path: `/${'x'.repeat(510)}…`,
  });
  const call: AccessRecord = { door: 'call', caller: 1, method: 'm'.repeat(200_000), status: 'ok', ms: 1 };
  expect(loggable(call, redact)).toEqual({ ...call, method: `${'m'.repeat(511)}…` });
});

it('is never cut within a secret, of which the log would not know the half', () => {
  const path = `/${'x'.repeat(500)}/secret-token`;
  expect(loggable({ ...record, path }, redact).path).toBe(`/${'x'.repeat(500)}/[secret]`);
});
