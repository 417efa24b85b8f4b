import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AccessDeniedError, NotRunningError } from '../../src/adapters/local-socket-errors.ts';
import { accessAdvice } from '../../src/commands/terminal/access-advice.ts';

let directory: string;
const unknownGroup = 54_321;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'figd-test-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

it.each([
  [0o660, / \(it has mode 0660 and group \S+: run as its owner or a member of group \S+\)$/],
  [0o600, / \(it has mode 0600 and group \S+: run as its owner\)$/],
])('says who may use a socket of mode %o', (mode, advice) => {
  const path = join(directory, 'events.sock');
  writeFileSync(path, '');
  chmodSync(path, mode);
  expect(` ${accessAdvice(new AccessDeniedError(path))}`).toMatch(advice);
});

it('speaks of the directory when the socket cannot be looked at', () => {
  const text = accessAdvice(new AccessDeniedError(join(directory, 'gone', 'events.sock')));
  expect(text).toContain(`(${directory} has mode 0700 and group `);
});

it.runIf(process.getuid?.() === 0)('gives a group without a name by its number', () => {
  const path = join(directory, 'events.sock');
  writeFileSync(path, '');
  chownSync(path, 0, unknownGroup);
  expect(accessAdvice(new AccessDeniedError(path))).toContain(`group ${unknownGroup}:`);
});

it('has nothing to add to other failures', () => {
  expect(accessAdvice(new NotRunningError(directory))).toBe('');
});
