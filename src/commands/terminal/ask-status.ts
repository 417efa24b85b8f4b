import { answerDeadlineMs, LocalClient, NoAnswerError, NotRunningError } from '../../adapters/local-client.ts';
import { isRecord } from '../../protocol/json-rpc.ts';
import type { StatusDocument } from '../../protocol/status.ts';

/** What came of asking a daemon how it is. */
export type StatusAnswer =
  | { readonly kind: 'document'; readonly document: StatusDocument }
  /** Nothing listens. */
  | { readonly kind: 'not running' }
  /** It accepts connections and does not answer within {@link answerDeadlineMs}. */
  | { readonly kind: 'not answering' };

/**
 * Asks the daemon behind `path` for its status; the answer, or that there is none, is there within two seconds.
 *
 * @throws {LocalSocketError} when the socket is closed to this user, or is not figd's
 */
export async function askStatus(path: string): Promise<StatusAnswer> {
  const start = performance.now();
  let client: LocalClient | undefined;
  try {
    client = await LocalClient.connect(path);
    const left = Math.max(1, Math.ceil(answerDeadlineMs - (performance.now() - start)));
    const document = await client.request('status', undefined, left);
    if (!isRecord(document)) throw new TypeError('the daemon sent no status document');
    return { kind: 'document', document: document as unknown as StatusDocument };
  } catch (error) {
    if (error instanceof NotRunningError) return { kind: 'not running' };
    if (error instanceof NoAnswerError) return { kind: 'not answering' };
    throw error;
  } finally {
    client?.close();
  }
}
