import { expect, test } from 'vitest';
import { adviseOnWay } from '../../../src/daemon/preflight/network-advice.ts';
import type { FailureCode } from '../../../src/protocol/failure.ts';

const behind = { proxy: 'http://proxy.example:3128' };
const straight = { proxy: 'off' };
const told = { HTTPS_PROXY: '', all_proxy: 'http://user:secret@proxy.example:3128' };

test.each<[FailureCode, Parameters<typeof adviseOnWay>[1], NodeJS.ProcessEnv, string | undefined]>([
  ['proxy-refused', behind, {}, undefined],
  ['dns-failed', behind, told, 'Check network.proxy, proxy.example:3128, and that it may connect to the venue.'],
  ['connect-timeout', straight, {}, undefined],
  ['connect-timeout', straight, { https_proxy: '' }, undefined],
  [
    'connect-timeout',
    straight,
    told,
    'This network may have no other way out than a proxy: all_proxy names one here, and figd takes it from network.proxy.',
  ],
  [
    'tls-failed',
    straight,
    told,
    'Check the clock. Where this network looks into TLS, its own authority signs: name that in network.caFile, for example /etc/ssl/certs/ca-certificates.crt.',
  ],
  ['tls-failed', { ...straight, caFile: '/etc/ssl/own.pem' }, {}, undefined],
])('%s with %j and %j', (code, settings, env, advice) => {
  expect(adviseOnWay(code, settings, env)).toBe(advice);
});
