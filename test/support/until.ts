const turnMs = 2;

/** Waits for a fact: returns the first truthy value, and throws what it waited for when it does not come in time. */
export async function until<Fact>(
  what: string,
  fact: () => Promise<Fact | undefined | null | false> | Fact | undefined | null | false,
  deadlineMs = 8_000,
): Promise<Fact> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await fact();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, turnMs));
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
