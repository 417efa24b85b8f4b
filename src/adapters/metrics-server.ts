import { createServer, type Server } from 'node:http';
import type { OverallState } from '../protocol/status.ts';

export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  readonly health: () => { readonly state: OverallState; readonly reason: string };
}

const closeGraceMs = 500;

/**
 * Serves `/metrics`, `/livez` (the process works) and `/readyz` (200 only while live).
 * @returns how to stop it, and the port it listens on; rejects with Node's error where it cannot listen
 */
export async function serveMetrics(
  options: MetricsServerOptions,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET and HEAD\n');
    const { state, reason } = options.health();
    switch (URL.parse(request.url ?? '/', 'http://localhost')?.pathname) {
      case '/metrics':
        return options.metrics().then(
          (text) => answer(200, text, options.contentType),
          // A rejection that nobody holds would end the daemon.
          () => answer(500, 'the metrics could not be collected\n'),
        );
      case '/livez':
        return answer(200, 'ok\n');
      case '/readyz':
        return answer(state === 'live' ? 200 : 503, `${state}: ${reason}\n`);
      default:
        return answer(404, 'there are /metrics, /livez and /readyz\n');
    }
  });
  await listen(server, options);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), closeGraceMs).unref();
      }),
  };
}

function listen(server: Server, { host, port }: MetricsServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
