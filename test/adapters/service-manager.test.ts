import { beforeEach, describe, expect, it } from 'vitest';
import { NotifySocketError } from '../../src/adapters/notify-socket.ts';
import { ServiceManager, serviceManager } from '../../src/adapters/service-manager.ts';
import { VirtualTime } from '../machines/support/virtual-time.ts';

let time: VirtualTime;
let told: string[];
let isDeaf: boolean;
let line: string;
let answers: boolean;
const report = { line: () => line, answers: () => answers };

beforeEach(() => {
  time = new VirtualTime();
  told = [];
  isDeaf = false;
  line = 'live: all is well';
  answers = true;
});

function manager(watchdogMs: number | null = null): ServiceManager {
  return new ServiceManager({
    send: (text) => {
      if (!isDeaf) told.push(text);
      return !isDeaf;
    },
    clock: time.clock as ConstructorParameters<typeof ServiceManager>[0]['clock'],
    monotonicMicroseconds: () => BigInt(time.now()) * 1_000n + 7n,
    watchdogMs,
  });
}

/** What was told since the last time, in order. */
const heard = () => told.splice(0);

describe('a daemon that has started', () => {
  it('is ready, says what it does, and says it again only when that changes', async () => {
    manager().started(report);
    expect(heard()).toEqual(['READY=1', 'STATUS=live: all is well']);
    await time.advance(10_000);
    expect(heard()).toEqual([]);
    line = 'down: no network';
    await time.advance(1_000);
    expect(heard()).toEqual(['STATUS=down: no network']);
  });

  it('says it once a second at most, however often it changes', async () => {
    manager().started(report);
    heard();
    for (let change = 0; change < 100; change += 1) {
      line = `degraded: ${change}`;
      await time.advance(50);
    }
    expect(heard().length).toBeLessThanOrEqual(5);
  });

  it('says it in one line that cannot be taken for another assignment', async () => {
    line = `down: the venue says\nREADY=0\r\nMAINPID=1 ${'x'.repeat(2_000)}`;
    manager().started(report);
    const [, status = ''] = heard();
    expect(status).toMatch(/^STATUS=down: the venue says READY=0 MAINPID=1 x+$/);
    expect(status.length).toBeLessThan(520);
  });

  it('says again what was not taken, in the same order', async () => {
    isDeaf = true;
    const figd = manager();
    figd.started(report);
    figd.reloading();
    figd.ready();
    await time.advance(3_000);
    isDeaf = false;
    await time.advance(1_000);
    expect(heard()).toEqual(['READY=1', 'RELOADING=1\nMONOTONIC_USEC=7', 'READY=1', 'STATUS=live: all is well']);
  });
});

describe('the watchdog', () => {
  it('hears of a daemon that answers twice in its time', async () => {
    manager(30_000).started(report);
    heard();
    await time.advance(14_999);
    expect(heard()).toEqual([]);
    await time.advance(1);
    expect(heard()).toEqual(['WATCHDOG=1']);
    await time.advance(60_000);
    expect(heard()).toEqual(Array.from({ length: 4 }, () => 'WATCHDOG=1'));
  });

  it('hears nothing of one that does not answer', async () => {
    manager(2_000).started(report);
    heard();
    answers = false;
    await time.advance(60_000);
    expect(heard()).toEqual([]);
  });

  it('is not told anything where there is none', async () => {
    manager().started(report);
    heard();
    await time.advance(600_000);
    expect(heard()).toEqual([]);
  });
});

it('a reload is told with its moment on the monotonic clock, which systemd compares with its own', async () => {
  const figd = manager();
  figd.started(report);
  heard();
  await time.advance(1_234);
  figd.reloading();
  figd.ready();
  expect(heard()).toEqual(['RELOADING=1\nMONOTONIC_USEC=1234007', 'READY=1']);
});

describe('a daemon that stops', () => {
  it('asks for time as long as it takes, within bounds, and says nothing else', async () => {
    const figd = manager(2_000);
    figd.started(report);
    heard();
    figd.stopping();
    expect(heard()).toEqual(['STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=5000000']);
    line = 'down: figd stops';
    await time.advance(3_000);
    expect(heard()).toEqual(Array.from({ length: 3 }, () => 'EXTEND_TIMEOUT_USEC=5000000'));
    await time.advance(60_000);
    expect(heard()).toHaveLength(11);
  });

  it('says nothing once it is closed', async () => {
    const figd = manager(2_000);
    figd.started(report);
    figd.stopping();
    figd.close();
    heard();
    await time.advance(60_000);
    expect(heard()).toEqual([]);
  });
});

describe('the environment', () => {
  const clock = { setTimeout: () => 0, clearTimeout: () => undefined };

  it('without a socket means that nobody wants to hear', () => {
    expect([{}, { NOTIFY_SOCKET: '' }].map((env) => serviceManager(env, 7, clock))).toEqual([null, null]);
  });

  it('keeps nothing that a child could speak with', () => {
    const env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: '', WATCHDOG_USEC: '1', WATCHDOG_PID: '7', OTHER: 'stays' };
    serviceManager(env, 7, clock);
    expect(env).toEqual({ OTHER: 'stays' });
  });

  it.each(['vsock:2:9999', 'relative.sock', '/', '@'])('with %s for a socket is an error', (NOTIFY_SOCKET) => {
    expect(() => serviceManager({ NOTIFY_SOCKET }, 7, clock)).toThrow(NotifySocketError);
  });
});
