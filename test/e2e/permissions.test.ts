import { expect, test } from 'vitest';
import { LocalClient } from '../../src/adapters/local-client.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { DaemonUnderTest } from './daemon.ts';

test('what gateway.allow does not name is refused with one code, whichever way it is asked', async () => {
  await using simulator = await startSimulator({ rate: 0 });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { gateway: { allow: ['simulator/*'] } },
  });
  await daemon.reaches('live');
  const client = await LocalClient.connect(daemon.controlSocket);
  const refused = { code: -32_003, data: { figd: true, code: 'not-allowed', sent: false } };
  await expect(client.request('call', { method: 'v1/rfq/list' })).rejects.toMatchObject(refused);
  await expect(client.request('rest', { method: 'GET', path: '/v1/rfq' })).rejects.toMatchObject(refused);
  client.close();
});
