import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** Readable lines with colours instead of JSON. */
  readonly pretty: boolean;
  /** Blots secrets out of a finished line: the last guard, behind all those that keep them from getting there. */
  readonly redact: (line: string) => string;
  /** Told each line as it is written. */
  readonly onLine?: (line: string) => void;
}

/** Logs JSON lines to standard output, synchronously: the last line before an exit is the one that matters. */
export function createLogger({ level, pretty: isPretty, redact, onLine }: LoggerOptions): Logger {
  const destination = isPretty
    ? pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true })
    : pino.destination({ fd: 1, sync: true });
  // A log that nobody takes any more must not end the session.
  (destination as NodeJS.EventEmitter).on('error', () => undefined);
  const write = (line: string): string => {
    const clean = redact(line);
    onLine?.(clean);
    return clean;
  };
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: write },
    },
    destination,
  );
}
