import { expect, test } from 'vitest';
import { readArguments, type SimulatorArguments } from '../../src/simulator/arguments.ts';
import { defaultOptions } from '../../src/simulator/options.ts';

/** As the command line has them where nothing is said. */
const unsaid: SimulatorArguments = {
  port: 7464,
  host: '127.0.0.1',
  rate: 5,
  seed: 1,
  'token-life': undefined,
  'refresh-token-life': undefined,
  'http-limit': 1000,
  'in-place-refresh': true,
  'token-in-auth-reply': false,
  'max-sessions': 4,
  'verify-signatures': false,
  'signature-encoding': undefined,
  'signature-omit-prefix': undefined,
  roles: 'trader',
  envelope: 'params',
  fault: [],
  'sent-log': undefined,
  'client-id': 'demo',
  'client-secret-file': undefined,
};

test('where nothing is said the venue is as documented', async () => {
  const { options, faults } = await readArguments(unsaid);
  expect({ ...defaultOptions, ...options }).toEqual({ ...defaultOptions, host: '127.0.0.1', port: 7464 });
  expect(faults).toEqual([]);
});

test.each<[Partial<SimulatorArguments>, object]>([
  [
    { 'token-life': '20s', 'refresh-token-life': '1m' },
    { tokenLife: 20_000, refreshTokenLife: 60_000 },
  ],
  [
    { 'http-limit': 30, 'max-sessions': 1 },
    { httpLimit: 30, maxSessions: 1 },
  ],
  [
    { 'in-place-refresh': false, 'token-in-auth-reply': true },
    { inPlaceRefresh: false, tokenInAuthReply: true },
  ],
  [{ 'verify-signatures': true }, { verifySignatures: true, signature: 'either' }],
  [{ 'signature-encoding': 'base64' }, { verifySignatures: true, signature: { encoding: 'base64' } }],
  [{ 'signature-omit-prefix': '/v1' }, { verifySignatures: true, signature: { encoding: 'hex', omitPrefix: '/v1' } }],
  [{ roles: 'reader,trader' }, { roles: ['reader', 'trader'] }],
  [{ roles: 'none' }, { roles: ['none'] }],
])('understands %j', async (said, expected) => {
  expect((await readArguments({ ...unsaid, ...said })).options).toMatchObject(expected);
});

test.each<[Partial<SimulatorArguments>, string]>([
  [{ 'token-life': '0s' }, '--token-life must be longer than 0'],
  [{ 'refresh-token-life': '20' }, '--refresh-token-life: 20 has no unit; write 20s'],
  [{ 'http-limit': 0 }, '--http-limit must be a whole number from 1 up'],
  [{ 'max-sessions': 1.5 }, '--max-sessions must be a whole number from 1 up'],
  [{ 'signature-encoding': 'octal' }, '--signature-encoding must be hex or base64'],
  [{ 'signature-omit-prefix': 'v1' }, '--signature-omit-prefix must begin with a slash'],
  [{ 'signature-omit-prefix': '/v1/' }, '--signature-omit-prefix must begin with a slash'],
])('refuses %j', async (said, message) => {
  await expect(readArguments({ ...unsaid, ...said })).rejects.toThrow(message);
});
