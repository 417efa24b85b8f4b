import { connect } from 'node:net';
import { type Kind, kinds } from './attack.ts';

const [, , path = '', kind = 'pings', connections = '50'] = process.argv;
const bytes = Buffer.from(kinds[kind as Kind]);
let taken = 0;

function open(): void {
  const socket = connect(path);
  const send = () => {
    if (!socket.writable) return;
    socket.write(bytes, (error) => {
      if (error) return;
      taken += 1;
      // Everybody has begun.
      if (taken === Number(connections)) process.stdout.write('attacking\n');
      setImmediate(send);
    });
  };
  socket
    .on('connect', send)
    .resume()
    .on('error', () => undefined)
    .on('close', () => setTimeout(open, 10));
}

for (let opened = 0; opened < Number(connections); opened += 1) open();
