import { chmodSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { consumersView } from '../../src/commands/terminal/consumers-view.ts';
import { plain } from '../../src/commands/terminal/style.ts';
import type { ConsumersReport } from '../../src/protocol/status.ts';
import { figd } from '../support/figd.ts';
import { FakeDaemon } from './support/fake-daemon.ts';

const now = 1_795_334_400_000;
const report: ConsumersReport = {
  now,
  head: 12_345,
  maxConsumers: 256,
  consumers: [
    {
      id: 1,
      channels: ['*'],
      position: 12_346,
      lag: 0,
      reads: 'new',
      behindMs: 0,
      bufferedBytes: 0,
      connectedAt: now - 7_200_000,
    },
    {
      id: 12,
      channels: ['rfq.*', 'a\u001b[2J'],
      position: 11_000,
      lag: 1_346,
      reads: 'memory',
      behindMs: 12_300,
      bufferedBytes: 1_048_576,
      connectedAt: now - 90_000,
    },
    {
      id: 13,
      channels: ['*'],
      position: 17,
      lag: 12_329,
      reads: 'disk',
      behindMs: null,
      bufferedBytes: 0,
      connectedAt: now - 400,
    },
  ],
};

describe('the table', () => {
  it('has a line for each, and says how many there may be', () => {
    expect(consumersView(report, plain).split('\n')).toEqual([
      ' id    next  behind              reads        buffered  connected for  channels',
      ' #1  12,346  in step             what is new  -         2h 0m          *',
      '#12  11,000  1,346 events, 12 s  from memory  1.0 MiB   1m 30s         rfq.* a\ufffd[2J',
      '#13      17  12,329 events       from disk    -         0.4 s          *',
      '',
      '3 consumers (256 at most), the newest event is 12,345',
      '',
    ]);
  });

  it('says clearly that there is nobody', () => {
    expect(consumersView({ ...report, consumers: [] }, plain)).toBe(
      'no consumers: nobody has subscribed to events.sock (256 at most)\n',
    );
  });
});

describe('the command', () => {
  let daemon: FakeDaemon;
  const consumers = (...args: string[]) => figd(['consumers', '--local.directory', daemon.directory, ...args]);

  beforeEach(() => {
    daemon = FakeDaemon.prepare();
  });

  afterEach(() => daemon.remove());

  it('prints the table, or the document', async () => {
    await daemon.start();
    daemon.handlers.set('consumers', () => report);
    expect(await consumers()).toEqual({ code: 0, stdout: consumersView(report, plain), stderr: '' });
    expect(await consumers('--json')).toEqual({ code: 0, stdout: `${JSON.stringify(report)}\n`, stderr: '' });
  });

  it('exits 3 when no daemon runs', async () => {
    const ended = await consumers();
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toContain(`no daemon at ${daemon.path('control.sock')}`);
  });

  it('exits 2 for a daemon that hangs', async () => {
    await daemon.start();
    expect(await consumers()).toMatchObject({ code: 2, stdout: '' });
  });

  it('exits 1 for one that does not know what it is asked, such as an older one', async () => {
    await daemon.start();
    daemon.handlers.set('consumers', () => new Error('method not found'));
    expect(await consumers()).toEqual({ code: 1, stdout: '', stderr: 'figd: method not found\n' });
  });

  it.skipIf(process.getuid?.() === 0)('exits 77 for somebody who may not ask', async () => {
    await daemon.start();
    chmodSync(daemon.path('control.sock'), 0);
    expect(await consumers()).toMatchObject({ code: 77, stdout: '' });
  });
});
