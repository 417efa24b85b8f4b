/**
 * Aborted when the user has seen enough (Ctrl-C) or the process is asked to stop: a stream without an end of its own
 * ends then, which is no failure. A second Ctrl-C ends the process at once.
 */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}
