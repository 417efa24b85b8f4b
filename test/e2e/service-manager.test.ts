import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LocalClient } from '../../src/adapters/local-client.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { hasReceiver, NotifyReceiver } from '../support/notify-receiver.ts';
import { DaemonUnderTest, workspace } from './daemon.ts';

describe.skipIf(!hasReceiver)('under a service manager', () => {
  it('is ready once it listens, tells its state, feeds the watchdog, and says that it stops', async () => {
    await using place = await workspace();
    const address = join(place.path, 'notify');
    await using receiver = await NotifyReceiver.listen(address);
    await using simulator = await startSimulator({ rate: 20 });
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '400000' };
    await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, env });

    await receiver.hears('READY=1');
    (await LocalClient.connect(daemon.controlSocket)).close();
    expect(receiver.notices[0]).toEqual({ pid: daemon.process.child.pid, text: 'READY=1' });
    await receiver.hears(/^STATUS=live: /);
    await receiver.hears('WATCHDOG=1');
    simulator.venue.inject({ kind: 'down' });
    await receiver.hears(/^STATUS=down: /);
    const fed = receiver.notices.filter(({ text }) => text === 'WATCHDOG=1').length;
    // Trouble with the venue is not a reason to be started anew.
    await receiver.hears('WATCHDOG=1', { times: fed + 2 });

    daemon.process.child.kill('SIGHUP');
    await receiver.hears(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    await receiver.hears('READY=1', { times: 2 });

    expect((await daemon.process.stop()).code).toBe(0);
    const { text } = await receiver.hears(/^STOPPING=1\n/);
    expect(text).toContain('EXTEND_TIMEOUT_USEC=');
    expect(receiver.notices.filter(({ text }) => text === 'READY=1')).toHaveLength(2);
  });

  it('says that it stops where it fails inside', async () => {
    await using place = await workspace();
    const address = join(place.path, 'notify');
    await using receiver = await NotifyReceiver.listen(address);
    await using simulator = await startSimulator({ rate: 20 });
    await using daemon = await DaemonUnderTest.start({
      restUrl: simulator.restUrl,
      env: { NOTIFY_SOCKET: address, FAILURE_KIND: 'exception' },
      nodeArguments: ['--import', fileURLToPath(new URL('support/failing.mjs', import.meta.url))],
    });
    await receiver.hears('READY=1');
    daemon.process.child.kill('SIGUSR2');
    await receiver.hears(/^STOPPING=1\n/);
    expect((await daemon.process.ended).code).toBe(70);
  });

  // The second one is a name that no resolver has to be asked about.
  it.each(['nowhere', `${'x'.repeat(70)}:9464`])(
    'is never ready with a configuration that is wrong',
    async (listen) => {
      await using place = await workspace();
      const address = join(place.path, 'notify');
      await using receiver = await NotifyReceiver.listen(address);
      await using daemon = await DaemonUnderTest.start({
        restUrl: 'http://127.0.0.1:9',
        config: { metrics: { listen } },
        env: { NOTIFY_SOCKET: address },
      });
      expect((await daemon.process.ended).code).toBe(78);
      expect(receiver.notices).toEqual([]);
    },
  );
});

it('runs where the service manager cannot be reached, and says so once', async () => {
  await using simulator = await startSimulator({});
  const env = { NOTIFY_SOCKET: 'vsock:2:9999' };
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, env });
  await daemon.reaches('live');
  expect(daemon.process.stdout.match(/the service manager cannot be told/g)).toHaveLength(1);
});
