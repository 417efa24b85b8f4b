import { type ChildProcess, spawn } from 'node:child_process';
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

test('says where it listens and what happens as NDJSON, and stops cleanly on SIGTERM', async () => {
  const child = run('--port', '0', '--fault', 'refuse-credentials');
  if (child.stdout === null) throw new TypeError('stdout is not a pipe');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => JSON.parse(String((await lines.next()).value));

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

test.each([
  [['--fault', 'dorp'], 'no kind of fault is called "dorp"; there are drop, half-open,'],
  [['--fault', 'drop,cod=1'], 'drop has no parameter "cod"'],
  [['--token-life', '20'], '--token-life: 20 has no unit; write 20s'],
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
