import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputChunk, type OutputOptions, type Plugin, rolldown } from 'rolldown';

export const root = fileURLToPath(new URL('..', import.meta.url));
/** Where everything that is built goes. */
export const dist = join(root, 'dist');
/** What figd's own program is called among what a bundle is made of. */
export const mainFile = 'figd.mjs';

const journal = join(root, 'src/adapters/journal');
/** Names and lines stay readable in a stack trace; only what a reader of one would not miss goes. */
const minify = { mangle: false, compress: true, codegen: { removeWhitespace: true } } as const;
/** What `ws` would use if it were installed, and does without. */
const external = ['bufferutil', 'utf-8-validate'];
const onNode = { platform: 'node', external } as const;

/** One file with all of figd and all that it needs of others, for an executable. @returns what went into it */
export async function bundleAsOne(directory: string): Promise<OutputChunk> {
  const [chunk, ...others] = await bundleFigd({ file: join(directory, mainFile), codeSplitting: false });
  if (chunk === undefined || others.length > 0) throw new Error('figd did not become one file');
  return chunk;
}

/**
 * The same in pieces, of which each command loads those that it needs: `figd status` takes half the time so, as the
 * pieces are compiled once for all that come after (`src/main.ts`).
 */
export function bundleInPieces(directory: string): Promise<readonly OutputChunk[]> {
  return bundleFigd({ dir: directory, entryFileNames: mainFile, chunkFileNames: 'parts/[name].mjs' });
}

async function bundleFigd(output: OutputOptions): Promise<readonly OutputChunk[]> {
  const threadCode = await journalThread();
  const plugins = [inPlaceOf(join(journal, 'thread-code.ts'), { threadCode }), asciiOnly];
  await using build = await rolldown({ input: join(root, 'src/main.ts'), ...onNode, plugins });
  const { output: written } = await build.write({ format: 'esm', minify, ...output });
  return written.filter((part) => part.type === 'chunk');
}

/** The code of the journal's thread, which has no file to be loaded from. */
async function journalThread(): Promise<string> {
  await using build = await rolldown({ input: join(journal, 'journal-thread.ts'), ...onNode });
  const { output } = await build.generate({ format: 'cjs', codeSplitting: false, minify });
  return output[0].code;
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

/**
 * V8 keeps the source for as long as the program runs, and takes two bytes for each letter of it as soon as one letter
 * needs two: a handful of dashes and quotation marks would cost 2 MB.
 */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      // Behind a backslash that is not itself behind one, an escape would mean something else.
      const [odd] = /(?<!\\)(?:\\\\)*\\[^\0-\x7f]/.exec(file.code) ?? [];
      if (odd !== undefined) this.error(`${file.fileName} has ${odd}, which cannot be written in ASCII`);
      file.code = file.code.replaceAll(/[^\0-\x7f]/g, escaped);
    }
  },
};

/** A UTF-16 unit as strings, templates and regular expressions may have it. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
