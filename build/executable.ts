import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { OutputChunk } from 'rolldown';
import { bundleAsOne, dist, mainFile } from './bundle.ts';

const run = promisify(execFile);
const recipe = 'recipe.json';

/**
 * What every figd is started with. V8 sets aside 16 MiB three times over for young objects, which buys a tenth of the
 * throughput nobody needs. How much it lets pile up before it looks for what can go depends on the most it may use, and
 * that on the host's memory: 30 MB more than with this limit, of which figd needs a twentieth (measured). No signal opens
 * Node's debugger, to which every program of the host could talk. And what Node says of its own experiments is no news to
 * those who run figd.
 */
export const nodeOptions = [
  '--max-semi-space-size=4',
  '--max-old-space-size=512',
  '--disable-warning=ExperimentalWarning',
  '--disable-sigusr1',
];

/**
 * One file that runs figd on a host without Node: this Node with the bundle in it, compiled already. The same source and
 * the same Node make the same bytes: what V8 compiles depends on a random seed, so that is given here. (Nothing at run
 * time does: `--hash-seed`, which would do so too, changes what the executable would have to be started with.)
 * It takes no options of Node, neither as arguments nor from `NODE_OPTIONS`.
 *
 * @param node the Node to put it into, of the version that runs this
 * @returns what was bundled
 */
export async function buildExecutable(file = join(dist, 'figd'), node = process.execPath): Promise<OutputChunk> {
  const directory = await mkdtemp(join(tmpdir(), 'figd-build-'));
  try {
    const code = await bundleAsOne(directory);
    await writeFile(
      join(directory, recipe),
      JSON.stringify({
        // Relative: the name becomes part of the executable.
        main: mainFile,
        mainFormat: 'module',
        executable: resolve(node),
        output: resolve(file),
        disableExperimentalSEAWarning: true,
        useCodeCache: true,
        execArgv: nodeOptions,
        execArgvExtension: 'none',
      }),
    );
    await run(process.execPath, ['--random-seed=1', '--build-sea', recipe], { cwd: directory });
    return code;
  } finally {
    await rm(directory, { recursive: true });
  }
}

if (import.meta.main) {
  await buildExecutable();
  process.stdout.write('dist/figd\n');
}
