import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SignedRequest, signatureHeaders } from '../../src/adapters/signature.ts';

const secret = 'demo-client-secret/+=';
const unixSeconds = 1_795_334_400;
const rfq = '{"größe":1.50,\n"x":"€"}';
/** No text in any encoding: zeros, line feeds, and what is not UTF-8. */
const binary = Uint8Array.from({ length: 512 }, (_, index) => (index * 31) % 256);

interface Vector {
  readonly name: string;
  readonly request: SignedRequest;
  readonly omitPrefix?: string;
  /** What the venue's documentation says is signed, written out. */
  readonly signed: string | Uint8Array;
  /** By `openssl dgst -sha256 -mac HMAC`, once and for all, for hosts that have no openssl. */
  readonly hex: string;
}

const vectors: readonly Vector[] = [
  {
    name: 'GET with a query',
    request: { method: 'GET', target: '/v1/rfq?status=open,expired&limit=10', body: '' },
    signed: '1795334400\nGET\n/v1/rfq?status=open,expired&limit=10\n',
    hex: '65d01b497df4eb125ac6e744705e5a4827558f4710335289b0d0f04884194301',
  },
  {
    name: 'GET with a query, /v1 not signed',
    request: { method: 'GET', target: '/v1/rfq?status=open,expired&limit=10', body: '' },
    omitPrefix: '/v1',
    signed: '1795334400\nGET\n/rfq?status=open,expired&limit=10\n',
    hex: 'f16ea5540c17d10d456ca576a516bc9d38f8ae06d627eede77bd4567b00a5440',
  },
  {
    name: 'POST with a body',
    request: { method: 'POST', target: '/v1/rfq', body: rfq },
    signed: `1795334400\nPOST\n/v1/rfq\n${rfq}`,
    hex: 'a5217c7417f44f02f13cbecb1d1d447b614556936a4a8fdbbaa09c66feaeede9',
  },
  {
    name: 'POST with a body, /v1 not signed',
    request: { method: 'POST', target: '/v1/rfq', body: Buffer.from(rfq) },
    omitPrefix: '/v1',
    signed: `1795334400\nPOST\n/rfq\n${rfq}`,
    hex: '5505459f9b551bfcd0acb140f7898c95cddac619e8a2b8e7076d9e4e9b8d87ee',
  },
  {
    name: 'POST with a body that is no text',
    request: { method: 'POST', target: '/v1/upload', body: binary },
    signed: Buffer.concat([Buffer.from('1795334400\nPOST\n/v1/upload\n'), binary]),
    hex: '839c7f058f695762f40aae0276486ecf3b32980ec1ddc6407e22eeb5641e0fb3',
  },
  {
    name: 'DELETE without a body',
    request: { method: 'DELETE', target: '/v1/rfq/12345', body: '' },
    signed: '1795334400\nDELETE\n/v1/rfq/12345\n',
    hex: '828dfbee0a1c3b6673ffddc2d2390933352be0535178a231dfa822b85d750e33',
  },
  {
    name: 'DELETE without a body, /v1 not signed',
    request: { method: 'DELETE', target: '/v1/rfq/12345', body: '' },
    omitPrefix: '/v1',
    signed: '1795334400\nDELETE\n/rfq/12345\n',
    hex: 'ab22c8fa1259a97b8c37a342a0458d76dc965e9a8662de78e2cefe21f87de095',
  },
  {
    name: 'DELETE with a body',
    request: { method: 'DELETE', target: '/v1/rfq_quote', body: '{"rfqQuoteIds":[1,2]}' },
    signed: '1795334400\nDELETE\n/v1/rfq_quote\n{"rfqQuoteIds":[1,2]}',
    hex: 'e7586560e465fa4135eef3648001e101a15e77ebc658de1a6c69b446b118ed58',
  },
  {
    name: 'DELETE with a body, /v1 not signed',
    request: { method: 'DELETE', target: '/v1/rfq_quote', body: '{"rfqQuoteIds":[1,2]}' },
    omitPrefix: '/v1',
    signed: '1795334400\nDELETE\n/rfq_quote\n{"rfqQuoteIds":[1,2]}',
    hex: '20672f266e8c2393ffb4025852e3a7c6d1912ea9e0dbceb85fcf3474a1216ab6',
  },
];

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

function openssl(args: readonly string[], input: string | Uint8Array): Buffer {
  const { status, stdout, stderr } = spawnSync('openssl', args, { input });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** The signature by the openssl program, encoding included. */
function byOpenssl(signed: string | Uint8Array, encoding: 'hex' | 'base64'): string {
  const digest = ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${Buffer.from(secret).toString('hex')}`];
  if (encoding === 'hex')
    return (
      openssl([...digest, '-r'], signed)
        .toString()
        .split(' ')[0] ?? ''
    );
  return openssl(['enc', '-base64', '-A'], openssl([...digest, '-binary'], signed)).toString();
}

describe.each(['hex', 'base64'] as const)('the signature in %s', (encoding) => {
  it.for(vectors)('is what openssl computes: $name', ({ request, omitPrefix, signed, hex }, context) => {
    const headers = signatureHeaders(request, { secret, encoding, omitPrefix }, unixSeconds);
    expect(headers).toEqual({
      'x-fig-timestamp': '1795334400',
      'x-fig-signature': encoding === 'hex' ? hex : Buffer.from(hex, 'hex').toString('base64'),
    });
    if (!hasOpenssl) context.skip('NOT COMPARED WITH OPENSSL: the program is not installed on this host');
    expect(headers['x-fig-signature']).toBe(byOpenssl(signed, encoding));
  });
});

describe('what is signed', () => {
  const key = { secret, encoding: 'hex' } as const;

  it('has the method in upper case and whole seconds', () => {
    const request = { target: '/v1/rfq', body: '' };
    const headers = signatureHeaders({ ...request, method: 'get' }, key, unixSeconds + 0.999);
    expect(headers).toEqual(signatureHeaders({ ...request, method: 'GET' }, key, unixSeconds));
  });

  it.each([
    ['/v1/rfq', '/rfq'],
    ['/v1/', '/'],
    ['/v1', '/v1'],
    ['/v1?x=/v1/', '/v1?x=/v1/'],
    ['/v10/rfq', '/v10/rfq'],
    ['/v2/v1/rfq', '/v2/v1/rfq'],
  ])('leaves out /v1 where the path is below it: %s is signed as %s', (target, signed) => {
    const request = { method: 'GET', body: '' };
    expect(signatureHeaders({ ...request, target }, { ...key, omitPrefix: '/v1' }, unixSeconds)).toEqual(
      signatureHeaders({ ...request, target: signed }, key, unixSeconds),
    );
  });

  it('is the same bytes, whether the body is text or its UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (body) => {
        const request = { method: 'POST', target: '/v1/rfq' };
        expect(signatureHeaders({ ...request, body }, key, unixSeconds)).toEqual(
          signatureHeaders({ ...request, body: Buffer.from(body) }, key, unixSeconds),
        );
      }),
    );
  });
});
