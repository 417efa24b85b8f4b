import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { isMarked } from '../mark.ts';
import { Outgoing } from '../wire/outgoing.ts';
import { type BrokerProtocol, publishings } from '../wire/protocols.ts';

// From the venue's socket into a broker: each frame is published as it is, and all that one turn brings goes out in one
// write, so that the broker is not measured by how slowly it is fed.

const [, , url = '', protocol = 'nats', port = '0'] = process.argv;
const publishing = publishings[protocol as BrokerProtocol];
/** Above this the venue is not read until the broker has taken some of it. */
const mostWaitingBytes = 4_194_304;

const broker = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
broker.on('error', () => process.exit(1));
broker.on('close', () => process.exit(1));
broker.write(publishing.greeting);
broker.on('data', (received: Buffer) => {
  const answer = publishing.answer?.(received) ?? null;
  if (answer !== null) broker.write(answer);
});
broker.once('data', () => bridge());

function bridge(): void {
  const webSocket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
  const outgoing = new Outgoing(publishing, (bytes) => {
    broker.write(bytes);
    if (broker.writableLength > mostWaitingBytes) webSocket.pause();
  });
  broker.on('drain', () => webSocket.resume());
  webSocket.on('open', () =>
    webSocket.send('{"jsonrpc":"2.0","id":1,"method":"v1/subscribe","params":{"channels":[]}}'),
  );
  webSocket.on('error', () => process.exit(1));
  webSocket.on('message', (data: Buffer) => {
    if (isMarked(data, 0, data.length)) outgoing.publish(data);
  });
}

process.on('disconnect', () => process.exit(0));
