/** Sends one datagram; false where it could not be sent now. It neither waits nor throws. */
export type SendDatagram = (text: string) => boolean;

/** This Node cannot reach the service manager; the message says why. */
export class NotifySocketError extends Error {
  override readonly name = 'NotifySocketError';
}

/** As the C library of Linux has them, on x86 and ARM alike. */
const addressFamilyUnix = 1;
const typeDatagram = 2;
const closeOnExec = 0o2000000;
const neverWait = 0x40;
const noSignal = 0x4000;
/** What `sun_path` holds, without the zero byte at its end. */
const longestAddress = 107;

/**
 * A socket of the kind a service manager listens on (sd_notify(3)): Unix, datagram. Node has none, so the functions of the
 * C library that this process runs on are called by their names.
 * @param address an absolute path, or a name in the abstract namespace after `@`
 * @throws {NotifySocketError}
 */
export function openNotifySocket(address: string): SendDatagram {
  if (!/^[/@]./.test(address) || Buffer.byteLength(address) > longestAddress) {
    throw new NotifySocketError(`${JSON.stringify(address)} is no address of a Unix socket`);
  }
  const ffi = process.getBuiltinModule('node:ffi');
  if (ffi === undefined) {
    throw new NotifySocketError(`Node ${process.versions.node} cannot send Unix datagrams, Node 26.1 and later can`);
  }
  const { socket, sendto } = ffi.dlopen(null, {
    socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    sendto: { arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'u32'], return: 'i64' },
  }).functions;
  const descriptor = socket(addressFamilyUnix, typeDatagram | closeOnExec, 0);
  if (descriptor < 0) throw new NotifySocketError('this process may not open Unix sockets');
  const to = socketAddress(address);
  return (text) => {
    const bytes = Buffer.from(text);
    return sendto(descriptor, bytes, BigInt(bytes.length), neverWait | noSignal, to, to.length) >= 0n;
  };
}

/** `struct sockaddr_un`: a path ends with a zero byte, an abstract name begins with one. */
function socketAddress(address: string): Buffer {
  const family = Buffer.from(Uint16Array.of(addressFamilyUnix).buffer);
  const name = address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`;
  return Buffer.concat([family, Buffer.from(name)]);
}
