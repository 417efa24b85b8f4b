import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { within } from '../../support/until.ts';

/** What became of the connections of a crowd. */
export interface Crowd extends AsyncDisposable {
  readonly open: number;
  /** Those that were closed, by the reason they were told; `''` for none. */
  readonly closed: Readonly<Record<string, number>>;
}

/** Opens so many connections at once, in a process of its own, and waits until each is greeted for good or closed. */
export async function crowd(path: string, connections: number): Promise<Crowd> {
  const script = fileURLToPath(import.meta.url);
  const child: ChildProcess = spawn(process.execPath, [script, path, String(connections)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  if (child.stdout === null) throw new Error('a crowd without stdout');
  const [report] = (await within('the crowd to settle', once(child.stdout, 'data'), 15_000)) as [Buffer];
  return {
    ...(JSON.parse(report.toString()) as Pick<Crowd, 'open' | 'closed'>),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function gather(path: string, connections: number): void {
  const closed: Record<string, number> = {};
  let greeted = 0;
  let gone = 0;
  const settle = () => {
    // A farewell follows the greeting at once: who is still there when it asked and was answered has a place.
    if (greeted + gone === connections) process.stdout.write(JSON.stringify({ open: greeted, closed }));
  };
  const open = () => {
    const socket = connect(path);
    let text = '';
    let answered = false;
    let isBacklogFull = false;
    socket.on('connect', () => socket.write('{"id":1,"method":"ping"}\n'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (answered || !text.includes('"result"')) return;
      answered = true;
      greeted += 1;
      settle();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      isBacklogFull = error.code === 'EAGAIN';
    });
    socket.on('close', () => {
      if (isBacklogFull) {
        setTimeout(open, 5);
        return;
      }
      if (answered) greeted -= 1;
      const reason = /"reason":"([^"]*)"/.exec(text)?.[1] ?? '';
      closed[reason] = (closed[reason] ?? 0) + 1;
      gone += 1;
      settle();
    });
  };
  for (let opened = 0; opened < connections; opened += 1) open();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) gather(process.argv[2] ?? '', Number(process.argv[3]));
