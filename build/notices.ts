import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputChunk } from 'rolldown';
import { root } from './bundle.ts';

type Bundled = Pick<OutputChunk, 'modules'>;

const modules = join(root, 'node_modules');

/**
 * The licences of all that is in the executable: of the packages of which something was bundled, and of Node.
 * @throws where one of them has no licence file, which then has to be looked for by a human
 */
export function thirdPartyNotices(bundled: Bundled): string {
  const node = `node/node_modules/node-${process.platform}-${process.arch}`;
  // npm install takes it away, as it does not stand in the lockfile.
  if (!existsSync(join(modules, node))) throw new Error(`node_modules/${node} is not there: run npm ci`);
  return [notice('Node.js', join(modules, node)), ...licencesOf([bundled])].join('\n');
}

/** The licences of the packages of which something was bundled. @throws as {@link thirdPartyNotices} does */
export function licencesOf(chunks: readonly Bundled[]): readonly string[] {
  const ids = chunks.flatMap(({ modules: bundled }) => Object.keys(bundled));
  const packages = new Set(ids.flatMap((id) => packageOf(id) ?? []));
  return [...packages].sort().map((name) => notice(name, join(modules, name)));
}

/** The package that a module belongs to; null where that is figd. */
function packageOf(id: string): string | null {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? null;
}

function notice(name: string, directory: string): string {
  const file = readdirSync(directory).find((each) => /^(licen[cs]e|copying)\b/i.test(each));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { readonly version: string };
  return `${'='.repeat(80)}\n${name} ${version}\n${'='.repeat(80)}\n\n${readFileSync(join(directory, file), 'utf8').trim()}\n`;
}
