import { join } from 'node:path';
import { type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts';
import { DaemonUnderTest, RawConsumer } from '../e2e/daemon.ts';
import { RestCaller } from '../e2e/support/rest-caller.ts';
import { SocketCaller } from '../e2e/support/socket-caller.ts';
import { until } from '../support/until.ts';
import { Prometheus, type Scraping } from './prometheus.ts';

export interface Setup extends Omit<Scraping, 'target'> {
  readonly venue: SimulatorOptions;
  readonly config: Readonly<Record<string, object>>;
}

/** figd on a simulated venue, with one program that reads and two that call, and a Prometheus that watches. */
export async function openStage({ venue, config, ...scraping }: Setup) {
  await using opened = new AsyncDisposableStack();
  const simulator = opened.use(await startSimulator(venue));
  const daemon = opened.use(
    await DaemonUnderTest.start({
      restUrl: simulator.restUrl,
      config: { ...config, metrics: { listen: '127.0.0.1:0' }, gateway: { http: true } },
    }),
  );
  await daemon.reaches('live');
  const port = await until('the port of the metrics', () => /"port":(\d+)/.exec(daemon.process.stdout)?.[1]);
  const prometheus = opened.use(await Prometheus.start({ ...scraping, target: `127.0.0.1:${port}` }));
  const consumer = opened.use(await RawConsumer.subscribe(daemon.eventsSocket));
  const rest = opened.use(new RestCaller('rest', join(daemon.directory, 'run', 'gateway.sock'), 'POST'));
  const socket = opened.use(await SocketCaller.connect('call', daemon.controlSocket));
  const parts = opened.move();
  return {
    simulator,
    daemon,
    prometheus,
    consumer,
    /** Calls the venue once on each of the two ways. */
    call: () => Promise.all([rest.echo(), socket.echo()]),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
