import type { Logger } from '../adapters/logger.ts';
import type { Timers } from '../protocol/request-table.ts';
import { exitCode } from './command.ts';

export interface CrashPorts {
  readonly logger: Pick<Logger, 'fatal' | 'error'>;
  readonly clock: Pick<Timers, 'setTimeout'>;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** A disk that takes longer is part of the trouble; systemd waits for much longer before it kills. */
const rescueMs = 2_000;

/**
 * The way out when something fails that nothing is made to survive: it is told once, what is in memory is saved as far
 * as two seconds allow, and the process ends with exit code 70, so that a clean one can be started.
 */
export class Crash {
  readonly #ports: CrashPorts;
  #rescue: () => Promise<void> = async () => undefined;
  #isUnderWay = false;

  constructor(ports: CrashPorts) {
    this.#ports = ports;
  }

  /** @param rescue saves what can be saved, from now on */
  prepare(rescue: () => Promise<void>): void {
    this.#rescue = rescue;
  }

  /** Something has failed. Whoever fails while the first failure is dealt with ends the process at once. */
  readonly happened = (error: unknown): void => {
    const { logger, clock, exit } = this.#ports;
    const end = () => exit(exitCode.internal);
    if (this.#isUnderWay) {
      logger.error({ err: error }, 'another failure meanwhile: figd ends at once');
      end();
      return;
    }
    this.#isUnderWay = true;
    logger.fatal({ err: error }, 'internal failure: figd ends so that a clean one can be started');
    clock.setTimeout(end, rescueMs);
    this.#rescue().then(end, this.happened);
  };
}
