import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { has } from '../support/has.ts';
import { until } from '../support/until.ts';

const suite = 'bookworm';
/** A Debian without anything that figd does not ask for. It takes a minute to make, so it is kept. */
const cache = process.env['FIGD_TEST_CACHE'] ?? '/var/cache/figd-test';
const packages = ['systemd', 'systemd-sysv', 'libnss-systemd', 'dbus', 'libatomic1'];

/** Whether a Debian can be booted here; where it cannot, that is said. */
export function canBoot(): boolean {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) process.stderr.write('SKIPPED: only root can boot a container\n');
  const programs = ['debootstrap', 'systemd-nspawn', 'dpkg-shlibdeps', 'strip', 'nsenter'];
  return (
    isRoot && programs.map((program) => has(program, 'nothing is tried in a real systemd')).every(Boolean) && hasBase()
  );
}

/** Whether there is a Debian to boot, or one can be made. */
function hasBase(): boolean {
  try {
    base();
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`SKIPPED: debootstrap could not make a Debian, nothing is tried in a real systemd: ${why}\n`);
    return false;
  }
}

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Debian that was booted by its own systemd, with a network of its own, and is forgotten afterwards. */
export class Container implements AsyncDisposable {
  readonly #nspawn: ChildProcess;
  /** Process 1 of the container, as this host counts. */
  readonly #leader: string;

  private constructor(nspawn: ChildProcess, leader: string) {
    this.#nspawn = nspawn;
    this.#leader = leader;
  }

  /** @param shared a directory that is at /mnt in the container, read only */
  static async boot(shared: string): Promise<Container> {
    const options = ['--boot', '--register=no', '--keep-unit', '--private-network', '--volatile=overlay', '--quiet'];
    const nspawn = spawn(
      'systemd-nspawn',
      [
        ...options,
        '--console=pipe',
        `--machine=figd-${process.pid}`,
        `--directory=${base()}`,
        `--bind-ro=${shared}:/mnt`,
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const leader = await until('process 1 of the container', () => bootedBy(nspawn.pid), 30_000).catch((error) => {
      nspawn.kill('SIGKILL');
      throw error;
    });
    const container = new Container(nspawn, leader);
    try {
      await container.prints('systemctl is-system-running', /running|degraded/, 120_000);
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
    return container;
  }

  /** A path in the container, as this host sees it. */
  path(inside: string): string {
    return join(`/proc/${this.#leader}/root`, inside);
  }

  /** Runs a shell script in the container, as root. */
  async run(script: string): Promise<Result> {
    const environment = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8'];
    const child = spawn('nsenter', ['--target', this.#leader, '--all', ...environment, 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...said };
  }

  /** Runs a script that has to succeed. @returns what it printed */
  async succeed(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script);
    if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Waits until a script prints what is looked for. @returns what was found */
  async prints(script: string, what: RegExp, ms = 30_000): Promise<string> {
    let last: Result | undefined;
    const find = async () => {
      last = await this.run(script);
      return what.exec(last.stdout)?.[0];
    };
    return until(`${script} to print ${what}`, find, ms).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; it printed ${last?.stdout}${last?.stderr}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#nspawn, 'exit');
    await this.run('systemctl poweroff --force');
    const timer = setTimeout(() => this.#nspawn.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
  }
}

/** The systemd that systemd-nspawn has started, once it is one. */
function bootedBy(nspawn: number | undefined): string | undefined {
  try {
    const children = readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8').trim().split(' ');
    return children.find((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'systemd\n');
  } catch {
    return undefined;
  }
}

function base(): string {
  const directory = join(cache, suite);
  if (existsSync(directory)) return directory;
  const fresh = `${directory}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  execFileSync('debootstrap', ['--variant=minbase', `--include=${packages.join()}`, suite, fresh], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(fresh, directory);
  return directory;
}
