import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadSettings } from '../../src/config/load.ts';
import { failureCodes } from '../../src/protocol/failure.ts';
import { failuresPage, writtenFailuresPage } from './failures-page.ts';

const root = new URL('../../', import.meta.url).pathname;

async function pages(): Promise<readonly string[]> {
  const files = await readdir(root, { recursive: true });
  return files.filter((file) => file.endsWith('.md') && !/^dist\/|node_modules/.test(file));
}

test('every relative link in the documentation leads somewhere', async () => {
  const broken: string[] = [];
  for (const page of await pages()) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      if (!existsSync(join(root, dirname(page), target))) broken.push(`${page}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

test('docs/failures.md says what the code says (else: node test/docs/failures-page.ts --write)', () => {
  expect(writtenFailuresPage()).toBe(failuresPage());
});

test('every failure has a heading in docs/failures.md to link to, and every such link leads to one', async () => {
  const headings = [...writtenFailuresPage().matchAll(/^## ([a-z-]+)$/gm)].map(([, heading]) => heading);
  expect(headings.toSorted()).toEqual(Object.keys(failureCodes).toSorted());
  for (const page of await pages()) {
    const text = await readFile(join(root, page), 'utf8');
    const links = text.matchAll(page === 'docs/failures.md' ? /\]\(#([^)]+)\)/g : /failures\.md#([\w-]+)/g);
    for (const [, anchor] of links) expect(headings, page).toContain(anchor);
  }
});

test("README's configuration for the venue is a valid one of six lines", async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const yaml = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  expect(yaml.trim().split('\n')).toHaveLength(6);
  const { credentials } = parse(yaml) as { readonly credentials: Readonly<Record<string, string>> };
  const env = { FIGD_CREDENTIALS__CLIENT_ID_FILE: credentials['clientIdFile'] ?? '' };
  expect(loadSettings({ env, flags: {}, systemFile: join(root, 'none.yaml') }).venue).toMatchObject({
    profile: 'quickstart',
    restUrl: 'https://api.test.figmarkets.com',
  });
});

test("README's second command is what CI runs", async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const ci = await readFile(join(root, '.ci/run'), 'utf8');
  const second = [...readme.matchAll(/^\$ (npm ci[^#\n]*)/gm)][1]?.[1]?.trim();
  expect(second).toBe('npm ci && npm test');
  expect(ci).toMatch(/^npm ci\nnpm test$/m);
});
