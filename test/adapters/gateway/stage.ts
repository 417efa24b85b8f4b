import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, Client } from 'undici';
import { BytePool } from '../../../src/adapters/byte-pool.ts';
import { Forwarder, type ForwarderPorts } from '../../../src/adapters/gateway/forwarder.ts';
import { GatewayServer } from '../../../src/adapters/gateway/gateway-server.ts';
import { RestEntrance } from '../../../src/adapters/rest-entrance.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import type { AccessRecord } from '../../../src/gateway/access-record.ts';
import { Permissions } from '../../../src/gateway/permissions.ts';
import { RequestBudget } from '../../../src/gateway/request-budget.ts';
import { type Listening, listening, vaultWith } from '../support/venue.ts';

export interface VenueStage extends Listening {
  readonly connections: ReadonlySet<Socket>;
}

/** An HTTP server in the venue's place that does with a request what it is told. */
export async function venueStage(
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<VenueStage> {
  const server = createServer(serve);
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  return { ...(await listening(server)), connections };
}

export interface GatewaySetup {
  readonly sign?: boolean;
  readonly token?: string | null;
  readonly timeout?: number;
  readonly maxBody?: number;
  readonly bodyMemory?: number;
  readonly allow?: readonly string[];
  readonly limit?: number;
  readonly renewal?: Partial<ForwarderPorts['renewal']>;
}

export interface GatewayStage extends AsyncDisposable {
  readonly path: string;
  /** A client with a connection of its own. */
  readonly client: Client;
  readonly vault: ReturnType<typeof vaultWith>;
  readonly accesses: AccessRecord[];
  readonly bugs: unknown[];
  readonly server: GatewayServer;
  readonly bodies: BytePool;
  connect(): Client;
}

export const wall = 1_795_334_400_999.9;

/** `gateway.sock` in front of a venue, without the daemon around it. */
export async function gatewayStage(restUrl: string, setup: GatewaySetup = {}): Promise<GatewayStage> {
  const { sign = false, token = 'access-token', timeout = 5_000, maxBody = 4_194_304, limit = 100_000 } = setup;
  const directory = await mkdtemp(join(tmpdir(), 'figd-gateway-'));
  const path = join(directory, 'gateway.sock');
  const clock = { ...systemClock(), wall: () => wall };
  const vault = vaultWith();
  if (token !== null) vault.keep({ value: token, generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
  const agent = new Agent({ connections: 8 });
  const bodies = new BytePool(() => setup.bodyMemory ?? 67_108_864);
  const forwarder = new Forwarder({
    entrance: new RestEntrance({ restUrl, sign, signature: { encoding: 'hex' } }, vault),
    dispatcher: () => agent,
    vault,
    clock,
    budget: new RequestBudget({ limit, tokenRequests: 0, clock }),
    permissions: new Permissions(setup.allow),
    bodies,
    renewal: {
      beyond: () => Promise.resolve(false),
      present: () => Promise.resolve(vault.tokenAt(0) !== null),
      helped: () => undefined,
      ...setup.renewal,
    },
    settings: () => ({ timeout, maxBody }),
  });
  const accesses: AccessRecord[] = [];
  const bugs: unknown[] = [];
  const onAccess = (record: AccessRecord) => accesses.push(record);
  const server = new GatewayServer({
    forwarder,
    clock,
    timeout: () => timeout,
    onAccess,
    onBug: (error) => bugs.push(error),
  });
  await server.start(path);
  const clients: Client[] = [];
  const connect = () => {
    const client = new Client('http://fig', { socketPath: path });
    clients.push(client);
    return client;
  };
  return {
    path,
    client: connect(),
    vault,
    accesses,
    bugs,
    server,
    bodies,
    connect,
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client.destroy();
      await server.stop();
      await agent.destroy();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
