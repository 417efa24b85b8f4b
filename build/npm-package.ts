import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { bundleInPieces, dist, mainFile, root } from './bundle.ts';
import { licencesOf } from './notices.ts';

const { name, version, description, license, engines } = manifest;
/** What of the checkout belongs to a figd that somebody installs. */
const copied = ['README.md', 'CHANGELOG.md', 'LICENSE', 'docs', 'deploy', 'examples'];

/**
 * Figd as `npm install` takes it, in a directory: everything it needs of others is in it, so that nothing else is
 * installed. @returns the directory
 */
export async function buildNpmPackage(directory = join(dist, 'npm')): Promise<string> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const parts = await bundleInPieces(directory);
  for (const each of copied) cpSync(join(root, each), join(directory, each), { recursive: true });
  const own = { name, version, description, license, type: 'module', bin: { figd: mainFile }, engines };
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
  writeFileSync(join(directory, 'third-party-notices.txt'), licencesOf(parts).join('\n'));
  return directory;
}

if (import.meta.main) {
  await buildNpmPackage();
  process.stdout.write('dist/npm\n');
}
