/** Something stands between us and the daemon behind a local socket; the message says what, and names the socket. */
export class LocalSocketError extends Error {
  override readonly name: string = 'LocalSocketError';
}

/** Nothing listens on the socket, or it does not exist. */
export class NotRunningError extends LocalSocketError {
  override readonly name = 'NotRunningError';
  readonly path: string;

  constructor(path: string, options?: ErrorOptions) {
    super(`not running: no daemon at ${path}; start it with figd run`, options);
    this.path = path;
  }
}

/** The socket, or a directory above it, is closed to this user. */
export class AccessDeniedError extends LocalSocketError {
  override readonly name = 'AccessDeniedError';
  readonly path: string;

  constructor(path: string, options?: ErrorOptions) {
    super(`permission denied: ${path}`, options);
    this.path = path;
  }
}

/** Something accepts connections and does not answer in time: a daemon that hangs, most likely. */
export class NoAnswerError extends LocalSocketError {
  override readonly name = 'NoAnswerError';
}

/** What listens there speaks something else, or another version of the local protocol. */
export class NotFigdError extends LocalSocketError {
  override readonly name = 'NotFigdError';
}

/** The connection ended; with the daemon's own reason where it said `bye`. */
export class ConnectionClosedError extends LocalSocketError {
  override readonly name = 'ConnectionClosedError';
}
