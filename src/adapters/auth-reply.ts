import { isRecord } from '../protocol/json-rpc.ts';

const no = /^(?:false|0|no)$/i;
const failed = /^(?:error|fail(?:ed|ure)?|denied|refused|rejected|invalid|unauthori[sz]ed|unauthenticated|expired)$/i;

/**
 * The words with which a reply that is no error says no to a call that authenticates, or null where it lets us in. The
 * venue documents `success` alone; whoever is let in by anything else would go on with a session that is none.
 * @param quote cleans the venue's own words
 */
export function denialIn(result: unknown, quote: (text: string) => string): string | null {
  if (result === false) return 'false';
  if (!isRecord(result)) return null;
  const { success, status, message } = result;
  const words = typeof message === 'string' && message !== '' ? `, "${quote(message)}"` : '';
  if (isPlain(success) && no.test(String(success))) return `success: ${success}${words}`;
  return typeof status === 'string' && failed.test(status) ? `status: ${status}${words}` : null;
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
