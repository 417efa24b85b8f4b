import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';

/** Runs the command as `figd` would, with a message and an exit code for what it refuses. */
const script = `
  import yargs from 'yargs';
  import { simulate } from './src/commands/simulate.ts';
  await yargs(process.argv.slice(1))
    .command(simulate)
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      console.error(message ?? error.message);
      process.exit(error?.exitCode ?? 64);
    })
    .parseAsync();
`;

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(...parameters: string[]): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', 'simulate', ...parameters], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

/** The exit code and what was said on stderr. */
async function outcome(child: ChildProcess): Promise<readonly [number, string]> {
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += String(chunk);
  });
  const [code] = await once(child, 'close');
  return [code, text.trim()];
}

/** What the command prints, line by line. */
function printed({ stdout }: ChildProcess): () => Promise<Record<string, unknown>> {
  if (stdout === null) throw new TypeError('stdout is not a pipe');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return async () => JSON.parse(String((await lines.next()).value));
}

test('says where it listens and what happens as NDJSON, and stops cleanly on SIGTERM', async () => {
  const child = run('--port', '0', '--fault', 'refuse-credentials');
  const next = printed(child);

  const listening = await next();
  expect(listening).toMatchObject({ event: 'listening', port: expect.any(Number) });
  expect(await next()).toMatchObject({ event: 'fault-started', kind: 'refuse-credentials' });
  const secret = { clientId: 'demo', clientSecret: 'demo-secret' };
  await fetch(String(listening['tokenUrl']), { method: 'POST', body: JSON.stringify(secret) });
  expect(await next()).toEqual({ at: expect.any(Number), event: 'token', grant: 'json', outcome: 'refused' });
  expect(await next()).toMatchObject({ event: 'http-error', status: 401 });

  child.kill('SIGTERM');
  expect(await outcome(child)).toEqual([0, '']);
});

test('is the venue that its options ask for', async () => {
  const lives = ['--token-life', '7s', '--refresh-token-life', '90s'];
  const signature = ['--signature-encoding', 'base64', '--signature-omit-prefix', '/v1'];
  const child = run('--port', '0', ...lives, ...signature, '--http-limit', '2', '--no-in-place-refresh');
  const { oauth2TokenUrl, restUrl } = await printed(child)();
  const form = { grant_type: 'client_credentials', client_id: 'demo', client_secret: 'demo-secret' };
  const granted = await fetch(String(oauth2TokenUrl), { method: 'POST', body: new URLSearchParams(form) });
  const token = (await granted.json()) as Record<string, unknown>;
  expect(token).toMatchObject({ expires_in: 7, refresh_expires_in: 90 });
  const timestamp = Math.floor(Date.now() / 1000).toString();
  const signed = createHmac('sha256', 'demo-secret').update(`${timestamp}\nGET\n/rfq\n`).digest('base64');
  const headers = {
    authorization: `Bearer ${token['access_token']}`,
    'x-fig-timestamp': timestamp,
    'x-fig-signature': signed,
  };
  expect((await fetch(`${restUrl}/v1/rfq`, { headers })).status).toBe(200);
  expect((await fetch(`${restUrl}/v1/rfq`, { headers })).status).toBe(429);
});

test.each([
  [['--fault', 'dorp'], 'no kind of fault is called "dorp"; there are drop, half-open,'],
  [['--fault', 'drop,cod=1'], 'drop has no parameter "cod"'],
  [['--token-life', '20'], '--token-life: 20 has no unit; write 20s'],
  [['--signature-encoding', 'octal'], 'signature-encoding'],
  [['--host', '0.0.0.0'], 'loopback addresses only'],
  [['--rate', 'fast'], '--rate must be a number'],
  [['--envelope', 'brown'], 'envelope'],
  [['--bogus'], 'bogus'],
])('refuses %j as wrong usage', async (parameters, message) => {
  const [code, text] = await outcome(run('--port', '0', ...parameters));
  expect([code, text]).toEqual([64, expect.stringContaining(message)]);
});

test('a port in use is named, and so is the way out', async () => {
  const { port, close } = await startSimulator({ rate: 0 });
  const result = await outcome(run('--port', String(port)));
  await close();
  expect(result).toEqual([
    1,
    `port ${port} on 127.0.0.1 is in use; choose another with --port, or --port 0 for any free one`,
  ]);
});
