import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleInPieces, dist, root } from './bundle.ts';
import { licencesOf } from './notices.ts';

/**
 * What the npm package has beside its pages (`files` in package.json): the program with all that it needs of others in
 * it, their licences, and the types of the local protocol.
 */
async function buildForNpm(): Promise<void> {
  const directory = join(dist, 'npm');
  rmSync(directory, { recursive: true, force: true });
  const parts = await bundleInPieces(directory);
  writeFileSync(join(directory, 'third-party-notices.txt'), licencesOf(parts).join('\n'));
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.types.json')]);
}

await buildForNpm();
process.stdout.write('dist/npm\n');
