const turnMs = { min: 2, max: 50 };
/** Looking takes a fifth of the time at most: the cores are there for what is waited for. */
const restPerLook = 4;

/** Waits for a fact: returns the first truthy value, and throws what it waited for when it does not come in time. */
export async function until<Fact>(
  what: string,
  fact: () => Promise<Fact | undefined | null | false> | Fact | undefined | null | false,
  deadlineMs = 8_000,
): Promise<Fact> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const lookedAt = performance.now();
    const found = await fact();
    const now = performance.now();
    if (found !== undefined && found !== null && found !== false) return found;
    if (now > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    const rest = Math.min(turnMs.max, Math.max(turnMs.min, restPerLook * (now - lookedAt)));
    await new Promise((resolve) => setTimeout(resolve, rest));
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
