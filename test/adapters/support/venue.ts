import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BudgetedHttp } from '../../../src/adapters/budgeted-http.ts';
import { type Http, HttpClient, type HttpTimeouts } from '../../../src/adapters/http-client.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { Vault } from '../../../src/adapters/vault.ts';
import { Secret } from '../../../src/config/secret.ts';
import { RequestBudget } from '../../../src/gateway/request-budget.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../src/simulator/server.ts';

export const clientId = 'demo-client-id';
export const clientSecret = 'demo-client-secret/+=';

/** The simulated venue with our credentials and without a market. */
export function quietVenue(options: SimulatorOptions = {}): Promise<Simulator> {
  return startSimulator({ clientId, clientSecret, rate: 0, ...options });
}

export function vaultWith(id = clientId, secret = clientSecret): Vault {
  return new Vault({ clientId: new Secret(id), clientSecret: new Secret(secret) });
}

/** An HTTP client that is closed with its scope. */
export function httpClient(timeouts: HttpTimeouts = { connect: 2_000, reply: 5_000 }): HttpClient & AsyncDisposable {
  const client = new HttpClient(() => timeouts);
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

/** HTTP on figd's own lane of a limit that has much room. */
export function ownHttp(http: Http): BudgetedHttp {
  const clock = systemClock();
  return new BudgetedHttp(
    { http, budget: new RequestBudget({ limit: 1_000, tokenRequests: 12, clock }), clock },
    'own',
  );
}

export interface Listening extends AsyncDisposable {
  readonly url: string;
}

/** Has an HTTP server listen on a port of its own; at the end of its scope all its connections are closed. */
export async function listening(server: Server): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ScriptedServer extends Listening {
  readonly received: Received[];
}

/** An HTTP server that answers as it is told and remembers what it got. */
export async function scriptedServer(
  answer: (response: ServerResponse, request: Received) => void,
): Promise<ScriptedServer> {
  const received: Received[] = [];
  const server = createServer(async (incoming, response) => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part);
    const { method = '', url = '', headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(parts).toString('utf8') };
    received.push(request);
    answer(response, request);
  });
  return { ...(await listening(server)), received };
}

/** A port of this machine on which nobody listens. */
export async function deadUrl(scheme = 'http'): Promise<string> {
  const { url, [Symbol.asyncDispose]: close } = await listening(createServer());
  await close();
  return url.replace('http', scheme);
}
