import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';

export const root = fileURLToPath(new URL('..', import.meta.url));
/** Where everything that is built goes. */
export const dist = join(root, 'dist');

const journal = join(root, 'src/adapters/journal');
/** Names and lines stay readable in a stack trace; only what a reader of one would not miss goes. */
const minify = { mangle: false, compress: true, codegen: { removeWhitespace: true } } as const;
/** What `ws` would use if it were installed, and does without. */
const external = ['bufferutil', 'utf-8-validate'];

/** One file with all of figd and all that it needs of others. @returns what went into it */
export async function bundle(file = join(dist, 'figd.mjs')): Promise<OutputChunk> {
  const { code: thread } = await bundled({ input: join(journal, 'journal-thread.ts') }, { format: 'cjs' });
  return bundled(
    { input: join(root, 'src/main.ts'), plugins: [inPlaceOf(join(journal, 'thread-code.ts'), { threadCode: thread })] },
    { format: 'esm', file },
  );
}

async function bundled(
  input: { input: string; plugins?: Plugin[] },
  output: { format: 'esm' | 'cjs'; file?: string },
): Promise<OutputChunk> {
  await using build = await rolldown({ ...input, platform: 'node', external });
  const options = { ...output, codeSplitting: false, minify } as const;
  const { output: chunks } = await (output.file === undefined ? build.generate(options) : build.write(options));
  if (chunks.length > 1) throw new Error(`${input.input} became ${chunks.length} files`);
  return chunks[0];
}

/** Constants that stand for a module of the source. */
function inPlaceOf(path: string, constants: Record<string, string>): Plugin {
  let isMet = false;
  return {
    name: 'in-place-of',
    load(id) {
      if (id !== path) return null;
      isMet = true;
      return Object.entries(constants)
        .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
        .join('\n');
    },
    buildEnd() {
      if (!isMet) this.error(`nothing imports ${path}`);
    },
  };
}

if (import.meta.main) {
  const { fileName, code } = await bundle();
  process.stdout.write(`dist/${fileName}: ${Math.round(code.length / 1_024)} KiB\n`);
}
