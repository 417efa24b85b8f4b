import { unlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { WebSocket } from 'ws';

// What one writes in an afternoon instead of figd: each frame is parsed, so that nothing but JSON goes out, and written
// to each consumer. No numbers, no memory of what went by, no bound for a consumer that does not read.

const [, , url = '', path = ''] = process.argv;
const consumers = new Set<Socket>();
const lineFeed = Buffer.from('\n');

const server = createServer((socket) => {
  consumers.add(socket);
  socket.write('{"hello":1}\n');
  socket.on('error', () => socket.destroy());
  socket.on('close', () => consumers.delete(socket));
  socket.resume();
});
server.listen(path);

const webSocket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
webSocket.on('open', () => webSocket.send('{"jsonrpc":"2.0","id":1,"method":"v1/subscribe","params":{"channels":[]}}'));
webSocket.on('error', () => process.exit(1));
webSocket.on('message', (data: Buffer) => {
  const message = JSON.parse(data.toString());
  if (message.method !== 'subscription') return;
  const line = Buffer.concat([data, lineFeed]);
  for (const consumer of consumers) consumer.write(line);
});

process.on('disconnect', () => process.exit(0));
process.on('exit', () => unlinkSync(path));
process.on('SIGTERM', () => process.exit(0));
