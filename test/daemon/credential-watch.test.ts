import { renameSync, rmSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { CredentialWatch } from '../../src/daemon/credential-watch.ts';
import { Workspace } from '../config/workspace.ts';

let workspace: Workspace;
let watch: CredentialWatch;
beforeEach(() => {
  workspace = new Workspace();
  const files = [workspace.write('id', 'me'), workspace.write('secret', 'first')];
  watch = new CredentialWatch(() => files);
});

test('tells once of a file that is written, replaced or taken away', () => {
  expect(watch.changed()).toBe(false);
  workspace.write('secret', 'the second');
  expect([watch.changed(), watch.changed()]).toEqual([true, false]);
  renameSync(workspace.write('other', 'the second'), workspace.path('secret'));
  expect([watch.changed(), watch.changed()]).toEqual([true, false]);
  rmSync(workspace.path('id'));
  expect([watch.changed(), watch.changed()]).toEqual([true, false]);
});

test('tells of what was written since the files were read, whenever it is asked, and of nothing before', () => {
  workspace.write('secret', 'the second');
  watch.wereRead();
  expect(watch.changed()).toBe(false);
});
