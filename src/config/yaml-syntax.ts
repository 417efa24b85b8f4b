import type { Document, ErrorCode, LineCounter } from 'yaml';
import { isAlias, visit } from 'yaml';
import type { Problem } from './configuration-error.ts';

/**
 * A sentence for each fault that people make in YAML. The library's own messages are never shown: some quote the
 * text, which may be a credential.
 */
const faults: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'an alias (*name) without its anchor; put a text that begins with * between quotes',
  BAD_DQ_ESCAPE: 'an unknown escape (\\…) between double quotes; use single quotes',
  BAD_INDENT: 'the indentation does not fit; put keys of one block exactly below each other',
  BAD_SCALAR_START: 'a text begins with a character that YAML keeps for itself; put it between quotes',
  BLOCK_AS_IMPLICIT_KEY: 'two keys on one line; put each on a line of its own',
  BLOCK_IN_FLOW: 'a block inside { } or [ ]; write it on one line with commas',
  DUPLICATE_KEY: 'a key is written twice in one block; keep one of them',
  MISSING_CHAR: 'something is missing; put a blank after each colon, and close quotes and brackets',
  MULTILINE_IMPLICIT_KEY: 'a line has no colon with a blank after it; write key: value',
  MULTIPLE_DOCS: 'a second document begins (---); keep one document in the file',
  TAB_AS_INDENT: 'a tab is used for indentation; use blanks',
  TAG_RESOLVE_FAILED: 'a value begins with !; put it between quotes',
  UNEXPECTED_TOKEN:
    'something stands where it cannot; put a value with brackets, quotes or colons in it between quotes',
};

/** Everything YAML says against the text, each with line and column and without quoting the text. */
export function syntaxProblems(file: string, document: Document.Parsed, lines: LineCounter): Problem[] {
  const faulty = [...document.errors, ...document.warnings].map(({ code, pos }) => ({ code, offset: pos[0] }));
  const all = faulty.length > 0 ? faulty : danglingAliases(document);
  return all.map(({ code, offset }) => {
    const { line, col } = lines.linePos(offset);
    const [problem = '', advice] = (faults[code] ?? 'this is not YAML; check quotes, brackets and colons').split('; ');
    return { key: file, problem: `line ${line}, column ${col}: ${problem}`, ...(advice !== undefined && { advice }) };
  });
}

/** The parser leaves these to whoever asks for the value. */
function danglingAliases(document: Document.Parsed): { code: ErrorCode; offset: number }[] {
  const found: { code: ErrorCode; offset: number }[] = [];
  visit(document, {
    Alias(_key, alias) {
      const target = alias.resolve(document);
      if (target === undefined || isAlias(target)) {
        found.push({ code: 'BAD_ALIAS', offset: alias.range?.[0] ?? 0 });
      }
    },
  });
  return found;
}
