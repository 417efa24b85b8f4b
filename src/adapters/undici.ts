import type { Dispatcher } from 'undici';
import sendRequest from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Agent from 'undici/lib/dispatcher/agent.js';

// What figd uses of undici, and nothing else of it. Its main module brings a second `fetch` with all that belongs to that,
// a cache and its own test doubles: 4 MB of heap that a daemon would carry for ever (measured).
export { Agent, buildConnector };

/** Sends one request over an agent's connections; the answer's body is still to be read. */
export function request(
  agent: Dispatcher,
  url: string,
  options: Omit<Dispatcher.RequestOptions, 'origin' | 'path'>,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  return sendRequest.call(agent, { ...options, origin, path: `${pathname}${search}` });
}
