/** So many keys are counted one by one; those that come later are counted in the sums only. */
const keysRemembered = 100_000;

/** What was executed of the echoes, over REST and on the socket: what a client sends twice shows here. */
export interface EchoStats {
  executed: number;
  /** Executions of a key that had been executed before. */
  repeated: number;
  /** How many keys there are in {@link timesByKey}. */
  keys: number;
  readonly timesByKey: Record<string, number>;
}

export function emptyEchoStats(): EchoStats {
  // Without a prototype, as a key may have any name.
  return { executed: 0, repeated: 0, keys: 0, timesByKey: Object.create(null) };
}

/** Counts an execution, under its key where it has one. */
export function noteExecution(stats: EchoStats, key: string | undefined): void {
  stats.executed += 1;
  if (key === undefined) return;
  const before = stats.timesByKey[key];
  if (before !== undefined) stats.repeated += 1;
  else if (stats.keys >= keysRemembered) return;
  else stats.keys += 1;
  stats.timesByKey[key] = (before ?? 0) + 1;
}
