import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildExecutable } from '../../build/executable.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { DaemonUnderTest } from '../e2e/daemon.ts';
import { RestartStage } from '../e2e/support/restart-stage.ts';
import { figd, source } from '../support/figd.ts';
import { hasReceiver, NotifyReceiver } from '../support/notify-receiver.ts';

const directory = mkdtempSync(join(tmpdir(), 'figd-build-test-'));
const executable = join(directory, 'figd');
let help: string;

beforeAll(async () => {
  help = (await figd(['--help'])).stdout;
  await buildExecutable(executable);
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true }));

// As an npm package has it, in pieces, it is what all the other tests run.
describe.each([
  { kind: 'source', file: source },
  { kind: 'an executable, away from its source', file: executable },
])('figd as $kind', ({ file }) => {
  beforeEach(() => {
    vi.stubEnv('FIGD_TEST_PROGRAM', file);
    return () => vi.unstubAllEnvs();
  });

  it('says the same of itself', async () => {
    expect(await figd(['--help'])).toEqual({ code: 0, stdout: help, stderr: '' });
  });

  it('keeps its events on disk, and gives them back after a restart', { timeout: 60_000 }, async () => {
    await using stage = await RestartStage.open();
    await stage.hears(200);
    await stage.stop();
    stage.launch();
    await stage.settle();
    expect((await stage.daemon.status()).journal).toMatchObject({ enabled: true, trouble: null });
    await stage.check();
    expect([stage.whole.lost, stage.slow.lost, stage.slow.unresumed]).toEqual([[], [], []]);
    expect(stage.told.lines.size).toBe(1);
  });

  it.skipIf(!hasReceiver)('tells its service manager', async () => {
    await using receiver = await NotifyReceiver.listen(`@figd-test-${process.pid}`);
    await using simulator = await startSimulator({});
    const env = { NOTIFY_SOCKET: `@figd-test-${process.pid}` };
    await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, env });
    await receiver.hears('READY=1');
    await receiver.hears(/^STATUS=live/);
    const { code } = await daemon.process.stop();
    expect(code).toBe(0);
    await receiver.hears(/^STOPPING=1/);
  });

  it('opens no debugger, whoever sends it the signal on which Node does', async () => {
    await using simulator = await startSimulator({});
    await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
    await daemon.reaches('live');
    daemon.process.child.kill('SIGUSR1');
    expect((await daemon.status()).state).toBe('live');
    const { code, stderr } = await daemon.process.stop();
    expect(code).toBe(0);
    expect(stderr).not.toContain('Debugger');
  });

  it('runs the demo', async () => {
    const { code, stdout, stderr } = await figd(['demo', '--calm', '--seconds', '1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ demo: 'summary', lost: 0 });
  });
});

it('takes no options of Node', async () => {
  vi.stubEnv('FIGD_TEST_PROGRAM', executable);
  const env = { NODE_OPTIONS: '--require /nowhere.js' };
  const { code } = await figd(['status', '--local.directory', directory], '', env);
  vi.unstubAllEnvs();
  expect(code).toBe(3);
});

it('is the same to the byte when it is built again', async () => {
  const again = join(directory, 'again');
  await buildExecutable(again);
  const [first, second] = [executable, again].map((path) => readFileSync(path));
  expect(second?.equals(first ?? Buffer.of())).toBe(true);
}, 120_000);
