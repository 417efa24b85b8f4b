import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configurationKeys } from '../../src/config/keys.ts';
import { reloadRules } from '../../src/config/reload-rules.ts';
import { Workspace } from './workspace.ts';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| `'));
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');

test.each(configurationKeys)('docs/configuration.md has a row for $key with its default', (known) => {
  const row = rows.filter((line) => line.startsWith(`| \`${known.key}\` |`));
  expect(row).toHaveLength(1);
  if (known.default !== undefined) {
    expect(row[0]).toContain(`| \`${known.default}\` |`);
  }
});

test('docs/configuration.md names no key that does not exist', () => {
  const known = configurationKeys.map(({ key }) => key);
  const named = rows.flatMap((row) => /^\| `([a-z]+(?:\.[a-zA-Z]+)+)` \|/.exec(row)?.[1] ?? []);
  expect(named.toSorted()).toEqual(known.toSorted());
});

test.each(
  Object.entries({ now: 'now', 'next session': 'with the next session', restart: 'when figd is started again' }),
)('docs/configuration.md has every key whose change takes effect %s in one row', (rule, words) => {
  const row = page.split('\n').find((line) => line.startsWith(`| ${words} |`)) ?? '';
  const told = [...row.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
  const ruled = configurationKeys.flatMap(({ key }) => (reloadRules[key] === rule ? [key] : []));
  expect(told).toEqual(ruled);
});

test.each(examples)('the example loads: %j', (yaml) => {
  expect(new Workspace().load(yaml).session.channels).toHaveLength(4);
});

test('the first two examples are six lines each', () => {
  expect(examples.slice(0, 2).map((yaml) => yaml.trimEnd().split('\n').length)).toEqual([6, 6]);
});
