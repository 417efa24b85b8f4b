import { expect, it } from 'vitest';
import { version } from '../../src/version.ts';
import { figd } from '../support/figd.ts';

it.each([
  [['status', '--jsn'], 'Unknown argument: jsn\nTry: figd status --help'],
  [['stats'], 'Unknown command: stats. Did you mean status?\nTry: figd --help'],
  [['zzzzzz'], 'Unknown command: zzzzzz\nTry: figd --help'],
  [[], 'Name a command.\nTry: figd --help'],
  [['status', '--config', 'a', '--config', 'b'], '--config is given twice\nTry: figd status --help'],
  [['wait', '--timeout', '3'], '--timeout: 3 has no unit; write 3s\nTry: figd wait --help'],
  [['tail', '--count', '0'], '--count is a number of events from 1 up, not 0\nTry: figd tail --help'],
  [['tail', '--from', 'new'], '--from is EPOCH:SEQ, oldest or now, not new\nTry: figd tail --help'],
  [
    ['outages', '--since', 'noon'],
    '--since is a duration such as 24h or 7d, or a date such as 2026-10-07T09:30, not noon\nTry: figd outages --help',
  ],
  [['call', 'heartbeat', '{oops'], 'PARAMS is not JSON\nTry: figd call --help'],
  [
    ['call', 'heartbeat', '--timeout', 'soon'],
    '--timeout: soon is not a duration; write a duration such as 500ms, 10s, 5m, 24h or 7d\nTry: figd call --help',
  ],
  [['run', '--config'], 'Not enough arguments following: config\nTry: figd run --help'],
  [['rest', 'GET', 'v1'], 'PATH begins with a slash, as in /v1/rfq; not "v1"\nTry: figd rest --help'],
])('exits 64 for %j', async (args, message) => {
  expect(await figd(args)).toEqual({ code: 64, stdout: '', stderr: `figd: ${message}\n` });
});

it.each(['status', 'wait', 'tail', 'outages', 'call', 'rest', 'reconnect', 'refresh', 'completion'])(
  '%s has help with an example',
  async (command) => {
    const ended = await figd([command, '--help']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(new RegExp(`Examples:\\n +figd ${command}`));
  },
);

it('tells its version', async () => {
  expect(await figd(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

it.each(['bash', 'zsh'])('completes in %s', async (shell) => {
  const ended = await figd(['completion'], '', { SHELL: `/bin/${shell}`, ...(shell === 'zsh' && { ZSH_NAME: 'zsh' }) });
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain(shell === 'zsh' ? '#compdef figd' : 'complete -o bashdefault');
});
