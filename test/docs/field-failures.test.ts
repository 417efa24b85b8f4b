import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
const page = 'docs/field-failures.md';

/** A test as the page names it: its file, and its name as it stands there. */
interface Named {
  readonly file: string;
  readonly name: string;
}

async function rows(): Promise<readonly string[]> {
  const text = await readFile(join(root, page), 'utf8');
  return text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| Seen'));
}

function testsIn(row: string): readonly Named[] {
  const last = row.split(' | ').at(-1)?.replace(/ \|$/, '') ?? '';
  return last.split('<br>').map((reference) => {
    const [, file = '', name = ''] = /^`([^`]+)` › (.+)$/.exec(reference) ?? [];
    return { file, name };
  });
}

/** Whether a name stands in a file as a string of its own, in whichever quotes. */
function isIn(text: string, name: string): boolean {
  return [`'${name}'`, `"${name}"`, `\`${name}\``].some((quoted) => text.includes(quoted));
}

test('every symptom is held by a test, and each test that is named exists', async () => {
  const wrong: string[] = [];
  for (const row of await rows()) {
    for (const { file, name } of testsIn(row)) {
      const path = join(root, file);
      const exists = file !== '' && existsSync(path) && isIn(await readFile(path, 'utf8'), name);
      if (!exists) wrong.push(`${file} › ${name} (${row.slice(0, 60)}…)`);
    }
  }
  expect(wrong).toEqual([]);
});

test('the page has the symptoms, each with a thread to read about it', async () => {
  const all = await rows();
  expect(all.length).toBeGreaterThan(30);
  expect(all.filter((row) => !/\([^)]*[\w.-]+#\d+/.test(row))).toEqual([]);
});
