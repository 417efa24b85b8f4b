import type { CommandModule } from 'yargs';

/**
 * One subcommand of `figd`. The module of a command holds only what `--help` needs; everything heavy is imported
 * inside its handler, so that `figd status` does not pay for the daemon's libraries.
 *
 * A handler returns nothing: it sets `process.exitCode`, or throws {@link ExitError} to end with a message.
 */
export type Command<Options> = CommandModule<object, Options>;

/** Exit codes of `figd`, after BSD's sysexits.h where one exists (64 usage, 70 internal, 77 permission, 78 configuration). */
export const exitCode = {
  ok: 0,
  failed: 1,
  down: 2,
  notRunning: 3,
  usage: 64,
  internal: 70,
  /** That we may not ask says nothing about the daemon, so none of its exit codes fits. */
  noPermission: 77,
  configuration: 78,
} as const;

/** Ends the command with `message` on stderr and the given exit code, without a stack trace. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
