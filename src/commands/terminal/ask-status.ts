import { answerDeadlineMs, LocalClient } from '../../adapters/local-client.ts';
import { ConnectionClosedError, NoAnswerError, NotRunningError } from '../../adapters/local-socket-errors.ts';
import { isRecord } from '../../protocol/json-rpc.ts';
import type { StatusDocument } from '../../protocol/status.ts';

/** What came of asking a daemon how it is. */
export type StatusAnswer<Document = StatusDocument> =
  | { readonly kind: 'document'; readonly document: Document }
  /** Nothing listens. */
  | { readonly kind: 'not running' }
  /** It accepts connections and does not answer within {@link answerDeadlineMs}. */
  | { readonly kind: 'not answering' };

/**
 * Asks the daemon behind one of the paths for its status: the second one where the first has no place left. The answer,
 * or that there is none, is there within two seconds of each.
 *
 * @param method one that takes nothing and answers with a document: `status`, or `debug` with more of it
 * @throws {RpcError} when the daemon does not know the method
 * @throws {LocalSocketError} when the socket is closed to this user, or is not figd's
 */
export async function askStatus<Document = StatusDocument>(
  [path, ...others]: readonly [string, ...string[]],
  method: 'status' | 'debug' = 'status',
): Promise<StatusAnswer<Document>> {
  const start = performance.now();
  let client: LocalClient | undefined;
  try {
    client = await LocalClient.connect(path);
    const left = Math.max(1, Math.ceil(answerDeadlineMs - (performance.now() - start)));
    const document = await client.request(method, undefined, left);
    if (!isRecord(document)) throw new TypeError('the daemon sent no status document');
    return { kind: 'document', document: document as Document };
  } catch (error) {
    if (error instanceof NotRunningError) return { kind: 'not running' };
    if (error instanceof NoAnswerError) return { kind: 'not answering' };
    const [next] = others;
    if (error instanceof ConnectionClosedError && next !== undefined) return await askStatus<Document>([next], method);
    throw error;
  } finally {
    client?.close();
  }
}
