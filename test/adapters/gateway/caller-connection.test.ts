import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { beforeEach, expect, it } from 'vitest';
import { CallerConnection } from '../../../src/adapters/gateway/caller-connection.ts';
import { TestClock } from '../../daemon/support/test-clock.ts';

const timeout = 30_000;
let clock: TestClock;
let socket: Socket;
let connection: CallerConnection;
let resumed: number;

beforeEach(() => {
  clock = new TestClock();
  socket = new Socket();
  resumed = 0;
  connection = new CallerConnection('gateway-1', socket, { clock, timeout: () => timeout });
});

const enter = (): ServerResponse => {
  const response = new ServerResponse(new IncomingMessage(socket));
  void connection.enter(response, () => undefined);
  return response;
};

const fill = (response: ServerResponse) =>
  connection.whenRead(response, () => {
    resumed += 1;
  });

it('lets a caller be slow, as long as it reads', async () => {
  const response = enter();
  for (let read = 0; read < 10; read += 1) {
    fill(response);
    await clock.time.advance(timeout - 1);
    response.emit('drain');
  }
  expect([resumed, socket.destroyed, clock.time.timers()]).toEqual([10, false, 0]);
});

it('cuts off a caller that has read nothing for as long as an answer may take', async () => {
  const response = enter();
  fill(response);
  await clock.time.advance(timeout - 1);
  expect([socket.destroyed, connection.isCutOff]).toEqual([false, false]);
  // That one more answer is full is no sign of a reader.
  fill(enter());
  await clock.time.advance(1);
  expect([socket.destroyed, connection.isCutOff, clock.time.timers()]).toEqual([true, true, 0]);
});

it('blames no caller for an answer that is slow in coming while those behind it wait', async () => {
  const [front, behind] = [enter(), enter()];
  fill(behind);
  await clock.time.advance(10 * timeout);
  expect(socket.destroyed).toBe(false);
  front.end();
  await clock.time.advance(timeout);
  expect(socket.destroyed).toBe(true);
});

it('forgets what it waited for when the connection ends', async () => {
  fill(enter());
  socket.destroy();
  await clock.time.advance(timeout);
  expect([clock.time.timers(), connection.isCutOff]).toEqual([0, false]);
});
