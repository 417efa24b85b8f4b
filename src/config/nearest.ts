/**
 * The candidate that `word` was probably meant to be: the one fewest edits away (insert, delete, replace, swap of two
 * neighbours), when that is at most 2 or a third of its length (1 for short ones). Case and separators (`rest_url`, `rest-url`,
 * `REST_URL`) do not count.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = normalise(word);
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const target = normalise(candidate);
    const distance = editDistance(plain, target);
    const limit = target.length < 5 ? 1 : Math.max(2, Math.floor(target.length / 3));
    if (distance <= limit && (best === undefined || distance < best.distance)) {
      best = { candidate, distance };
    }
  }
  return best?.candidate;
}

function normalise(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9.]/g, '');
}

/** Optimal string alignment distance, three rows at a time. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
