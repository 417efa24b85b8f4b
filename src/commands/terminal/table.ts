import type { Style } from './style.ts';

/**
 * Lines of a table with its columns aligned.
 * @param rightAligned how many of the first columns are numbers, which stand at the right
 */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { rightAligned, style }: { readonly rightAligned: number; readonly style: Style },
): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row, index) => {
    const padded = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column < rightAligned ? cell.padStart(width) : cell.padEnd(width);
    });
    const line = padded.join('  ').trimEnd();
    return index === 0 ? style.dim(line) : line;
  });
}
