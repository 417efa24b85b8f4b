import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Http } from '../../../src/adapters/http-client.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { WatchedHttp } from '../../../src/daemon/preflight/watched-http.ts';

const request = { method: 'GET', url: 'http://venue', headers: {} };

/** Answers after so long, with the Date of the venue's clock at a moment in between. */
function exchange(ours: number, offset: number, there: number, back: number) {
  let now = ours;
  const inner: Http = {
    send: async () => {
      const date = new Date(now + there + offset).toUTCString();
      now += there + back;
      return { status: 200, headers: { date }, body: '' };
    },
    close: async () => undefined,
  };
  return new WatchedHttp(inner, { ...systemClock(), wall: () => now });
}

it('reads the clock of the venue as closely as whole seconds and the way there and back allow', async () => {
  const ms = (max: number) => fc.double({ min: 0, max, noNaN: true });
  const start = fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 });
  const offsets = fc.integer({ min: -100_000_000, max: 100_000_000 });
  await fc.assert(
    fc.asyncProperty(start, offsets, ms(5_000), ms(5_000), async (ours, offset, there, back) => {
      const http = exchange(ours, offset, there, back);
      await http.send(request);
      const { offsetMs = Number.NaN, uncertaintyMs = Number.NaN } = http.clockReading ?? {};
      expect(Math.abs(offsetMs - offset)).toBeLessThanOrEqual(uncertaintyMs + 0.01);
      expect(uncertaintyMs).toBeCloseTo(500 + (there + back) / 2, 3);
    }),
  );
});

it.each([undefined, 'yesterday', ''])('keeps what it knows where the Date is %s', async (date) => {
  let headers: Record<string, string | undefined> = { date: new Date().toUTCString() };
  const inner: Http = { send: async () => ({ status: 200, headers, body: '' }), close: async () => undefined };
  const http = new WatchedHttp(inner, systemClock());
  await http.send(request);
  const known = http.clockReading;
  headers = { date };
  await http.send(request);
  expect(http.clockReading).toEqual(known);
  expect(known).not.toBeNull();
});

it('has no answer where the latest request got none', async () => {
  const answers = [Promise.resolve({ status: 200, headers: {}, body: '' }), Promise.reject(new Error('gone'))];
  const inner: Http = {
    send: () => answers.shift() ?? Promise.reject(new Error('no more')),
    close: async () => undefined,
  };
  const http = new WatchedHttp(inner, systemClock());
  await http.send(request);
  expect(http.lastAnswer?.status).toBe(200);
  await http.send(request).catch(() => undefined);
  expect(http.lastAnswer).toBeNull();
});
