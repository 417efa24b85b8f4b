import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { NotifySocketError, openNotifySocket } from '../../src/adapters/notify-socket.ts';
import { hasReceiver, NotifyReceiver } from '../support/notify-receiver.ts';

const directory = mkdtempSync(join(tmpdir(), 'figd-notify-'));
afterAll(() => rmSync(directory, { recursive: true }));

it.skipIf(!hasReceiver).each([
  ['at a path', join(directory, 'notify')],
  ['at the longest path there is', join(directory, 'n'.repeat(107 - directory.length - 1))],
  ['in the abstract namespace', `@figd-test-${process.pid}`],
])('reaches a receiver %s, whole and from this process', async (_, address) => {
  await using receiver = await NotifyReceiver.listen(address);
  const send = openNotifySocket(address);
  const long = `STATUS=${'ü'.repeat(2_000)}`;
  expect([send('READY=1\nSTATUS=zwölf'), send(long)]).toEqual([true, true]);
  await receiver.hears(long);
  expect(receiver.notices).toEqual([
    { pid: process.pid, text: 'READY=1\nSTATUS=zwölf' },
    { pid: process.pid, text: long },
  ]);
});

it('says that it was not sent where nobody receives', () => {
  const send = openNotifySocket(join(directory, 'nobody'));
  expect([send('READY=1'), send('READY=1')]).toEqual([false, false]);
});

it.skipIf(!hasReceiver)('never waits for a receiver that does not read', async () => {
  const address = join(directory, 'busy');
  await using receiver = await NotifyReceiver.listen(address);
  receiver.pause();
  const send = openNotifySocket(address);
  let sent = 0;
  while (send('x'.repeat(1_000)) && sent < 100_000) sent += 1;
  expect(sent).toBeLessThan(100_000);
  receiver.resume();
  await receiver.hears(/x/);
});

it('refuses a path that is longer than the kernel takes', () => {
  expect(() => openNotifySocket(`/${'n'.repeat(107)}`)).toThrow(NotifySocketError);
});
