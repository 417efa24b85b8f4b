import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { until } from './until.ts';

/** Python has Unix datagram sockets, and can tell who sent what. */
export const hasReceiver = spawnSync('python3', ['--version']).status === 0;
if (!hasReceiver) process.stderr.write('SKIPPED: python3 is not installed, so nobody receives what sd_notify sends\n');

const script = `
import json, socket, struct, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
address = sys.argv[1]
receiver.bind('\\0' + address[1:] if address.startswith('@') else address)
print('null', flush=True)
while True:
    data, control, _, _ = receiver.recvmsg(65536, 256)
    pid, _, _ = struct.unpack('3i', control[0][2])
    print(json.dumps({'pid': pid, 'text': data.decode()}), flush=True)
`;

export interface Notice {
  readonly pid: number;
  readonly text: string;
}

/** What a service manager is: somebody who reads datagrams, and knows from whom they are. */
export class NotifyReceiver implements AsyncDisposable {
  readonly notices: Notice[] = [];
  readonly #process: ChildProcessWithoutNullStreams;

  private constructor(address: string) {
    this.#process = spawn('python3', ['-c', script, address]);
  }

  static async listen(address: string): Promise<NotifyReceiver> {
    const receiver = new NotifyReceiver(address);
    let isListening = false;
    let rest = '';
    receiver.#process.stdout.setEncoding('utf8').on('data', (part: string) => {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const notice = JSON.parse(line) as Notice | null;
        if (notice === null) isListening = true;
        else receiver.notices.push(notice);
      }
    });
    await until('somebody who receives', () => isListening);
    return receiver;
  }

  /** Reads nothing until {@link resume}. */
  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  /** Waits for a datagram, or for the last of so many alike. */
  hears(text: string | RegExp, { times = 1 } = {}): Promise<Notice> {
    const isMeant = (notice: Notice) => (typeof text === 'string' ? notice.text === text : text.test(notice.text));
    return until(`${times} times the datagram ${text}`, () => this.notices.filter(isMeant)[times - 1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}
