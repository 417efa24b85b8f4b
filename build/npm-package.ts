import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleInPieces, dist, root } from './bundle.ts';
import { licencesOf } from './notices.ts';

/**
 * What the npm package has beside its pages (`files` in package.json): the program with all that it needs of others in
 * it, their licences, and the types of the local protocol.
 */
export async function buildForNpm(directory = join(dist, 'npm')): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  const parts = await bundleInPieces(directory);
  writeFileSync(join(directory, 'third-party-notices.txt'), licencesOf(parts).join('\n'));
  const compiler = join(root, 'node_modules/.bin/tsc');
  execFileSync(compiler, ['-p', join(root, 'tsconfig.types.json'), '--outDir', join(directory, 'types')]);
}

if (import.meta.main) {
  await buildForNpm();
  process.stdout.write('dist/npm\n');
}
