import { LocalClient } from '../../adapters/local-client.ts';
import { isRecord } from '../../protocol/json-rpc.ts';
import { controlSocketName } from '../../protocol/local.ts';
import { exitCode } from '../command.ts';
import { asExit, type DaemonOptions, localDirectory } from './daemon-options.ts';
import { notice, stdout } from './output.ts';

/** How long the daemon may take over what it does by itself. */
const controlDeadlineMs = 60_000;

/**
 * One request on the daemon's control socket.
 *
 * @param deadlineMs null where the daemon waits for the venue: how long, its own configuration says
 * @throws {ExitError} when the daemon cannot be reached or answers with an error
 */
export async function controlRequest(
  options: DaemonOptions,
  method: string,
  params?: object,
  deadlineMs: number | null = controlDeadlineMs,
): Promise<unknown> {
  try {
    return await onControl(options, (client) => client.request(method, params, deadlineMs));
  } catch (error) {
    throw asExit(error);
  }
}

/** Does something over a connection to the control socket, which ends with it. */
export async function onControl<T>(options: DaemonOptions, run: (client: LocalClient) => Promise<T>): Promise<T> {
  const client = await LocalClient.connect(`${await localDirectory(options)}/${controlSocketName}`);
  try {
    return await run(client);
  } finally {
    client.close();
  }
}

/** Has the daemon do something and says what came of it, on stderr where it did not do it. */
export async function controlCommand(options: DaemonOptions, method: string): Promise<void> {
  const result = await controlRequest(options, method);
  const { accepted, detail } = isRecord(result) ? result : {};
  const text = typeof detail === 'string' ? detail : `${method} ${accepted === true ? 'accepted' : 'not accepted'}`;
  if (accepted === true) {
    await stdout.write(`${text}\n`);
  } else {
    process.exitCode = exitCode.failed;
    await notice(text);
  }
}
