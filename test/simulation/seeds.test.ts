import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const seeds = 200;

test(`${seeds} days of trouble: every promise is kept`, async () => {
  // Of the lowest priority: it lasts as long as all other tests, and takes what they leave of the processor.
  const command = ['-n', '19', process.execPath, main, '--seeds', String(seeds), '--hours', '24', '--no-shrink'];
  const child = spawn('nice', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
  const [code] = await once(child, 'close');
  expect({ code, told }).toEqual({
    code: 0,
    told: expect.stringContaining(`${seeds} seeds, ${seeds} simulated days, 0 failed`),
  });
}, 900_000);
