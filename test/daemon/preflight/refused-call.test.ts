import { describe, expect, test } from 'vitest';
import { venueConfig } from '../../e2e/support/simulator-process.ts';
import { check, firstCall, strict, venueWith } from './support/check.ts';

describe('a refused REST call', () => {
  test('for want of a role: which, and what goes without it', async () => {
    const { restUrl, venue } = await venueWith({ roles: ['reader'] });
    const { of, failed } = await check({ restUrl });
    expect(failed).toEqual(['first REST call']);
    expect(of('first REST call')).toMatchObject({
      detail: `GET ${firstCall}: HTTP 403, "Forbidden: role "trader" is required"`,
      advice:
        'The key lacks the role "trader", which calls below /v1/account need: ask the venue for it, or do without them. ' +
        'The list of RFQs works, so that figd fetches what a gap missed. Whether events come is told by the steps below.',
    });
    expect(venue.stats.requestsByPath['/v1/rfq']).toBe(1);
  });

  test('for want of a role, and of the list of RFQs too', async () => {
    const { restUrl, venue } = await venueWith({ roles: [] });
    venue.inject({ kind: 'http-status', status: 403, path: '/v1/rfq' });
    const { of } = await check({ restUrl });
    expect(of('first REST call').advice).toContain(
      'GET /v1/rfq is refused too (HTTP 403): what a gap missed cannot be fetched.',
    );
  });

  test.each([
    ['token', 'token'],
    ['rest', 'first REST call'],
    ['socket', 'socket auth'],
  ] as const)('for the address of this host, where the %s is: told apart from a role', async (where, step) => {
    const venue = await venueWith();
    venue.venue.inject({ kind: 'refuse-address', where: [where] });
    const { of, failed } = await check({ restUrl: venue.restUrl });
    expect(failed).toEqual([step]);
    expect(of(step)).toMatchObject({
      detail: expect.stringContaining('this IP address is not on the allow-list of the API key'),
      advice:
        'Add the address of this host to the IP allow-list of the key at the venue: it goes there from 127.0.0.1. ' +
        'figd does not press: it asks again after 30 s, then less and less often, down to once in 5 minutes.',
    });
    const { requestsByPath, dials } = venue.venue.stats;
    // Once is enough: a refusal is not to be hammered, by a check least of all.
    expect([Math.max(...Object.values(requestsByPath)), dials]).toEqual([1, where === 'token' ? 0 : 1]);
  });
});

describe('a refused signature', () => {
  const hex = { encoding: 'hex' } as const;
  test.each([
    ['not made', { sign: false }, hex, 'venue.sign: true'],
    [
      'not made, and otherwise',
      { sign: false },
      { encoding: 'base64', omitPrefix: '/v1' },
      'venue.sign: true and venue.signature.encoding: base64 and venue.signature.omitPrefix: /v1',
    ],
    ['over too much', {}, { ...hex, omitPrefix: '/v1' }, 'venue.signature.omitPrefix: /v1'],
    ['over too little', { signature: { omitPrefix: '/v1' } }, hex, 'no venue.signature.omitPrefix'],
    ['in the wrong encoding', {}, { encoding: 'base64' }, 'venue.signature.encoding: base64'],
    [
      'in the wrong encoding, over too much',
      {},
      { encoding: 'base64', omitPrefix: '/v1' },
      'venue.signature.encoding: base64 and venue.signature.omitPrefix: /v1',
    ],
    [
      'in the wrong encoding, over too little',
      { signature: { encoding: 'base64', omitPrefix: '/v1' } },
      hex,
      'venue.signature.encoding: hex and no venue.signature.omitPrefix',
    ],
  ] as const)('%s: what the venue accepts is found', async (_what, config, signature, change) => {
    const venue = await venueWith({ verifySignatures: true, signature });
    const { of, failed } = await check({ ...venueConfig('platform', venue), ...config });
    expect(failed).toEqual(['first REST call']);
    expect(of('first REST call').advice).toBe(`The venue accepts the call with ${change}.`);
    expect(venue.venue.stats.requestsByPath[firstCall]).toBeLessThanOrEqual(6);
    // What it says is true.
    const right = { encoding: signature.encoding, ...('omitPrefix' in signature ? signature : {}) };
    expect((await check({ ...venueConfig('platform', venue), signature: right })).failed).toEqual([]);
  });

  test.each([
    [-45_000, /about 4[456] s behind the venue's/],
    [3_600_000, /about 60 min ahead of the venue's/],
    [-86_400_000, /about 24 h behind the venue's/],
  ])('because the clock of this host is off by %d ms: said, and how much', async (clockError, said) => {
    const venue = await venueWith(strict);
    const { of, failed } = await check(venueConfig('platform', venue), { clockError });
    expect(failed).toEqual(['first REST call', 'heartbeat']);
    expect(of('first REST call')).toMatchObject({
      detail: expect.stringContaining('X-FIG-Timestamp is too far from now'),
      advice: expect.stringMatching(
        /^The clock of this host .*, and signatures hold the time: set it right \(NTP\)\.$/,
      ),
    });
    expect(of('first REST call').advice).toMatch(said);
    expect(of('heartbeat').detail).toMatch(said);
    expect(venue.venue.stats.requestsByPath[firstCall]).toBe(2);
  });

  test('for both reasons at once: both are said', async () => {
    const venue = await venueWith({ verifySignatures: true, signature: { encoding: 'base64' } });
    const { of } = await check(venueConfig('platform', venue), { clockError: -45_000 });
    expect(of('first REST call').advice).toMatch(
      /^The clock of this host is .* set it right \(NTP\)\. The venue accepts the call with venue\.signature\.encoding: base64\.$/,
    );
  });

  test('and after it a missing role: that something remains is said', async () => {
    const venue = await venueWith({ verifySignatures: true, signature: { encoding: 'base64' }, roles: [] });
    const { of } = await check(venueConfig('platform', venue));
    expect(of('first REST call').advice).toBe(
      'The venue accepts the call with venue.signature.encoding: base64. It then answers HTTP 403: check again when this is done.',
    );
  });

  test('a clock that is off and does no harm yet is told by the heartbeat alone', async () => {
    const venue = await venueWith({ ...strict, signatureSkew: 60_000 });
    const { failed } = await check(venueConfig('platform', venue), { clockError: -20_000 });
    expect(failed).toEqual(['heartbeat']);
  });

  test('a token that is refused however the call is signed', async () => {
    const venue = await venueWith(strict);
    venue.venue.inject({ kind: 'http-status', status: 401, path: firstCall });
    const { of } = await check(venueConfig('platform', venue));
    expect(of('first REST call').advice).toBe(
      'No setting of venue.sign and venue.signature gets through, and the clocks agree. ' +
        'The token is fresh: do venue.tokenUrl and venue.restUrl belong together?',
    );
    expect(venue.venue.stats.requestsByPath[firstCall]).toBe(5);
  });

  test('the trial ends where the venue limits it', async () => {
    const venue = await venueWith({ ...strict, signature: { encoding: 'base64' }, httpLimit: 3 });
    await check(venueConfig('platform', venue));
    expect(venue.venue.stats.rateLimited).toBe(1);
  });
});
