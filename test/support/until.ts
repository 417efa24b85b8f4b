const restMs = { min: 2, max: 100 };
/**
 * Looking takes a twentieth of the time at most: the cores are there for what is waited for, and whoever is asked has as
 * much work with a look as the one who asks.
 */
const restPerLook = 19;
/** What has not come for a while need not be seen to the millisecond. */
const restPerWait = 0.02;

/** Waits for a fact: returns the first truthy value, and throws what it waited for when it does not come in time. */
export async function until<Fact>(
  what: string,
  fact: () => Promise<Fact | undefined | null | false> | Fact | undefined | null | false,
  deadlineMs = 8_000,
): Promise<Fact> {
  const since = performance.now();
  for (;;) {
    const lookedAt = performance.now();
    const found = await fact();
    const now = performance.now();
    if (found !== undefined && found !== null && found !== false) return found;
    if (now > since + deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    const rest = Math.max(restMs.min, restPerLook * (now - lookedAt), restPerWait * (now - since));
    await new Promise((resolve) => setTimeout(resolve, Math.min(restMs.max, rest)));
  }
}

/** The value a promise gives, or an error when it is not settled in time. */
export async function within<Value>(what: string, promise: Promise<Value>, deadlineMs = 8_000): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
