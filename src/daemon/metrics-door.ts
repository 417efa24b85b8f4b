import type { Logger } from '../adapters/logger.ts';
import type { Metrics } from '../adapters/metrics.ts';
import { type MetricsServerOptions, serveMetrics } from '../adapters/metrics-server.ts';
import type { Settings } from '../config/settings.ts';

export interface MetricsDoorPorts {
  readonly address: Settings['metrics'];
  readonly registry: Metrics['registry'];
  readonly health: MetricsServerOptions['health'];
  readonly logger: Logger;
}

/**
 * Serves the metrics where the configuration wants them to be, and says so.
 * @returns how to close that
 * @throws what makes it impossible to listen there
 */
export async function openMetrics({
  address,
  registry,
  health,
  logger,
}: MetricsDoorPorts): Promise<(() => Promise<void>) | undefined> {
  if (address === 'off') return undefined;
  const { contentType } = registry;
  const { close, port } = await serveMetrics({
    ...address.listen,
    metrics: () => registry.metrics(),
    contentType,
    health,
  });
  logger.info({ host: address.listen.host, port }, 'metrics listen');
  return close;
}
