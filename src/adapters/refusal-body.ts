import type { Readable } from 'node:stream';

/** Status and headers tell what a refusal means; for its words nobody waits longer, in milliseconds. */
export const refusalPatienceMs = 1_000;

/**
 * The body of an answer that is no success, or what has come of it: it may stop, break off or go on for ever, and the
 * answer is known all the same.
 * @param longest after so many characters no more is read
 */
export async function bodyOfRefusal(body: Readable, patienceMs: number, longest: number): Promise<string> {
  const deadline = setTimeout(() => body.destroy(), patienceMs);
  let text = '';
  try {
    for await (const part of body.setEncoding('utf8')) {
      text += part;
      if (text.length >= longest) break;
    }
  } catch {
    // It broke off, or was destroyed above.
  } finally {
    clearTimeout(deadline);
  }
  return text;
}
