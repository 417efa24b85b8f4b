import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Problem } from './configuration-error.ts';
import { openToOthers } from './file-mode.ts';
import { configurationSections, keysByName } from './keys.ts';
import type { Entry, Layer } from './layers.ts';
import { unknownKey } from './unknown-key.ts';
import { kindOf } from './values.ts';
import { syntaxProblems } from './yaml-syntax.ts';

/** The file's entries, and whether they are all that the file says: not when it could not be read or parsed. */
export interface FileLayer extends Layer {
  readonly complete: boolean;
}

/** Reads the YAML file. What is wrong with it is in `problems`; nothing is thrown. */
export function fileLayer(file: string): FileLayer {
  const read = readFile(file);
  if ('problem' in read) {
    return { entries: [], problems: [read], complete: false };
  }
  const lines = new LineCounter();
  const document = parseDocument(read.text, { lineCounter: lines, prettyErrors: false });
  const syntax = syntaxProblems(file, document, lines);
  if (syntax.length > 0) {
    return { entries: [], problems: syntax, complete: false };
  }
  const { entries, problems } = new FileReader(file, document, lines);
  return { entries, problems: [...problems, ...modeProblems(file, read.mode, entries)], complete: true };
}

function readFile(file: string): { text: string; mode: number } | Problem {
  try {
    return { text: readFileSync(file, 'utf8'), mode: statSync(file).mode };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const known = unreadable.get(code) ?? { problem: `cannot be read (${code})`, advice: 'name another with --config' };
    return { key: file, ...known };
  }
}

const unreadable: ReadonlyMap<string, { problem: string; advice: string }> = new Map([
  ['ENOENT', { problem: 'there is no such file', advice: 'name the configuration with --config or FIGD_CONFIG' }],
  ['EACCES', { problem: 'may not be read by this user', advice: 'give the user of figd read permission' }],
  ['EISDIR', { problem: 'is a directory', advice: 'name the file in it' }],
]);

/** A file that holds the secret itself is a secret file. */
function modeProblems(file: string, mode: number, entries: readonly Entry[]): readonly Problem[] {
  const inline = entries.find(({ path }) => path.join('.') === 'credentials.clientSecret');
  if (inline === undefined) {
    return [];
  }
  const fault = openToOthers(file, mode);
  return fault === undefined
    ? []
    : [
        {
          key: 'credentials.clientSecret',
          problem: `is written here, and ${fault.problem}`,
          where: inline.where,
          advice: fault.advice,
        },
      ];
}

/** Stands for a key that is a list or a block, which YAML allows; it is unknown under any name. */
const noName = '?';

class FileReader {
  readonly entries: Entry[] = [];
  readonly problems: Problem[] = [];
  readonly #file: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  constructor(file: string, document: Document.Parsed, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
    this.#readRoot();
  }

  #readRoot(): void {
    const root = this.#resolve(this.#document.contents);
    if (isMap(root)) {
      this.#readMap(root, []);
    } else if (toValue(root) !== null) {
      this.problems.push({
        key: this.#file,
        problem: `holds ${kindOf(toValue(root))} where keys should be`,
        advice: 'begin with a block such as venue: and its keys below it',
      });
    }
  }

  #readMap(map: YAMLMap, parents: readonly string[]): void {
    for (const pair of map.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : noName;
      const path = [...parents, name];
      const key = path.join('.');
      const written = name.includes('.') ? undefined : key;
      if (written !== undefined && configurationSections.has(written)) {
        this.#readSection(pair, path);
      } else if (written !== undefined && keysByName.has(written)) {
        this.#add(path, toValue(this.#resolve(pair.value)), pair);
      } else {
        this.problems.push({ ...unknownKey(parents, name), where: this.#where(pair) });
      }
    }
  }

  /** A section whose keys are all commented out is there and empty: that is no fault. */
  #readSection(pair: Pair, path: readonly string[]): void {
    const node = this.#resolve(pair.value);
    const value = toValue(node);
    if (isMap(node)) {
      this.#readMap(node, path);
    } else if (path.join('.') === 'metrics' && (value === 'off' || value === false)) {
      this.#add([...path, 'listen'], 'off', pair);
    } else if (value !== null) {
      this.problems.push({
        key: path.join('.'),
        problem: `is ${kindOf(value)}, not a block of keys`,
        where: this.#where(pair),
        advice: 'write its keys below it, one a line',
      });
    }
  }

  #add(path: readonly string[], value: unknown, pair: Pair): void {
    this.entries.push({ path, value, where: this.#where(pair), base: dirname(resolve(this.#file)) });
  }

  #where({ key }: Pair): string {
    const offset = isScalar(key) || isMap(key) || isSeq(key) ? key.range?.[0] : undefined;
    return offset === undefined ? this.#file : `line ${this.#lines.linePos(offset).line} of ${this.#file}`;
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? (node as Alias).resolve(this.#document) : node;
  }
}

/** The value of a node as deep as the schema looks: of a map only that it is one, of a list its scalars. */
function toValue(node: unknown): unknown {
  if (isSeq(node)) {
    return node.items.map((item) => (isScalar(item) ? item.value : isMap(item) ? {} : null));
  }
  if (isMap(node)) {
    return {};
  }
  return isScalar(node) ? node.value : null;
}
