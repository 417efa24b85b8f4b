import { LocalDaemon } from './local-daemon.ts';

/** A local server in a process of its own, with an event every few milliseconds. It prints the path of its socket. */
const daemon = await LocalDaemon.start();
process.stdout.write(`${daemon.eventsPath}\n`);
setInterval(() => daemon.add('rfq.maker'), 5);
