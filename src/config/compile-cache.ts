import { isAbsolute, join } from 'node:path';

/**
 * Where Node may keep what it has compiled: `$XDG_CACHE_HOME/figd`, else `~/.cache/figd`. Null where the user has no
 * such place: Node's own choice, below /tmp, is one that somebody else could have prepared, with code in it.
 */
export function compileCacheDirectory(env: Readonly<Record<string, string | undefined>>): string | null {
  const { XDG_CACHE_HOME: cache = '', HOME: home = '' } = env;
  if (isAbsolute(cache)) return join(cache, 'figd');
  return isAbsolute(home) ? join(home, '.cache', 'figd') : null;
}
