import { describe, expect, it } from 'vitest';
import {
  assign,
  findUnixSocket,
  inheritSockets,
  readPassed,
  SocketActivationError,
  type UnixSocket,
} from '../../src/adapters/socket-activation.ts';

const listening = (path: string): UnixSocket => ({ isListeningStream: true, path });

describe('the variables', () => {
  it('count from descriptor 3, with the names that there are', () => {
    const env = { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'events:control' };
    expect(readPassed(env, 7)).toEqual([
      { descriptor: 3, name: 'events' },
      { descriptor: 4, name: 'control' },
      { descriptor: 5, name: '' },
    ]);
  });

  it.each([
    ['none', {}],
    ['for another process', { LISTEN_PID: '8', LISTEN_FDS: '2' }],
    ['for no descriptor', { LISTEN_PID: '7', LISTEN_FDS: '0' }],
  ])('that are %s pass nothing', (_, env) => {
    expect(readPassed(env, 7)).toEqual([]);
  });

  it.each([undefined, 'two', '-1', '1.5'])('with %j descriptors are an error', (count) => {
    const env = { LISTEN_PID: '7', ...(count === undefined ? {} : { LISTEN_FDS: count }) };
    expect(() => readPassed(env, 7)).toThrow(SocketActivationError);
  });

  it('are removed once they are read, whoever they were meant for', () => {
    for (const pid of ['7', '8']) {
      const env: NodeJS.ProcessEnv = { LISTEN_PID: pid, LISTEN_FDS: '0', LISTEN_FDNAMES: '', OTHER: 'stays' };
      expect(inheritSockets(env, 7)).toEqual({});
      expect(env).toEqual({ OTHER: 'stays' });
    }
  });
});

describe('a passed socket', () => {
  it.each([
    ['by its name', { name: 'control', path: '/run/figd/events.sock' }, { control: 3 }],
    ['by its path where it has no name', { name: '', path: '/run/figd/events.sock' }, { events: 3 }],
    [
      'by its path where its name is that of the unit',
      { name: 'figd.socket', path: '/c/control.sock' },
      { control: 3 },
    ],
    ['by its name where it has no path', { name: 'events', path: '' }, { events: 3 }],
  ])('is known %s', (_, { name, path }, expected) => {
    expect(assign([{ descriptor: 3, name }], () => listening(path))).toEqual(expected);
  });

  it.each<[string, string, UnixSocket | null]>([
    ['descriptor 3 (events) is not a listening Unix stream socket of this network namespace', 'events', null],
    [
      'descriptor 3 is not a listening Unix stream socket of this network namespace',
      '',
      { isListeningStream: false, path: '/run/figd/events.sock' },
    ],
    [
      'descriptor 3 is called "web" and is bound to /run/web.sock: neither says whether it is events.sock, control.sock or gateway.sock',
      'web',
      listening('/run/web.sock'),
    ],
    [
      'descriptor 3 is called "" and is not bound to a path: neither says whether it is events.sock, control.sock or gateway.sock',
      '',
      listening(''),
    ],
  ])('%s', (message, name, socket) => {
    expect(() => assign([{ descriptor: 3, name }], () => socket)).toThrow(new SocketActivationError(message));
  });

  it('is one of each kind at most', () => {
    const passed = [3, 4].map((descriptor) => ({ descriptor, name: 'events' }));
    const error = new SocketActivationError('descriptors 3 and 4 are both the socket for events');
    expect(() => assign(passed, () => listening('/run/figd/events.sock'))).toThrow(error);
  });

  it.runIf(process.platform === 'linux')('that is no socket at all is an error', () => {
    // Descriptor 3 of this process is something, but nothing that was listened on before it was started.
    const env = { LISTEN_PID: '7', LISTEN_FDS: '1' };
    expect(() => inheritSockets(env, 7)).toThrow(/descriptor 3 is not a listening Unix stream socket/);
  });
});

it('is looked up in the table of the kernel: listening or not, stream or not, with its path', () => {
  const table = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/figd/events.sock',
    '0000000000000000: 00000003 00000000 00000000 0001 03 12 /run/figd/events.sock',
    '0000000000000000: 00000002 00000000 00010000 0005 01 13 /run/udev/control',
    '0000000000000000: 00000002 00000000 00010000 0001 01   14 /run/a place/control.sock',
    '0000000000000000: 00000002 00000000 00010000 0001 01 15',
    '',
  ].join('\n');
  expect(['11', '12', '13', '14', '15', '16'].map((inode) => findUnixSocket(table, inode))).toEqual([
    listening('/run/figd/events.sock'),
    { isListeningStream: false, path: '/run/figd/events.sock' },
    { isListeningStream: false, path: '/run/udev/control' },
    listening('/run/a place/control.sock'),
    listening(''),
    null,
  ]);
});
