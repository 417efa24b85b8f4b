import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../../support/until.ts';

const attacker = fileURLToPath(new URL('attacker.ts', import.meta.url));

export const kinds = {
  pings: '{"id":1,"method":"ping"}\n'.repeat(2_000),
  statuses: '{"id":1,"method":"status"}\n'.repeat(2_000),
  'questions for all gaps': '{"id":1,"method":"outages"}\n'.repeat(20),
  'empty lines': '\n'.repeat(65_536),
  'lines that never end': 'x'.repeat(65_536),
  'a mebibyte of arrays': `[${'[],'.repeat(340_000)}[]]\n`,
  'a mebibyte of keys': `{${Array.from({ length: 90_000 }, (_, key) => `"k${key}":0`).join(',')}}\n`,
  'ids of a mebibyte': `{"id":"${'x'.repeat(1_000_000)}","method":"ping"}\n`,
  'subscriptions to nothing in all of a long log':
    '{"id":1,"method":"subscribe","params":{"from":"oldest","channels":["nothing"]}}\n'.repeat(500),
  'the whole log again and again': '{"id":1,"method":"subscribe","params":{"from":"oldest"}}\n',
} as const;

export type Kind = keyof typeof kinds;

/**
 * Clients in a process of their own that send one thing as fast as it is taken, read what they get, and come back when
 * they are thrown out. Under way when this resolves.
 */
export async function attack(path: string, kind: Kind, connections = 50): Promise<AsyncDisposable> {
  const child: ChildProcess = spawn(process.execPath, [attacker, path, kind, String(connections)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  if (child.stdout === null) throw new Error('an attacker without stdout');
  await within('the attack to begin', once(child.stdout, 'data'));
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
