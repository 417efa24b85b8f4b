import type { EventParams } from '../../protocol/local.ts';
import { eventLine } from '../terminal/event-line.ts';
import { type Output, stdout } from '../terminal/output.ts';
import { countOf, type Style, styleFor } from '../terminal/style.ts';
import type { Balance } from './accounts.ts';

/** A fault and how it went. */
export interface FaultReport {
  readonly title: string;
  /** Milliseconds until events flowed again; null where they never stopped. */
  readonly healedMs: number | null;
}

export interface Summary extends Balance {
  readonly seconds: number;
  readonly faults: readonly FaultReport[];
}

/** What a spectator sees. */
export interface Screen {
  opening(socket: string, directory: string): Promise<void>;
  event(event: EventParams, bytes: Buffer): Promise<void>;
  fault(number: number, title: string): Promise<void>;
  healed(number: number, report: FaultReport): Promise<void>;
  summary(summary: Summary): Promise<void>;
}

/** Colours and sentences in a terminal, NDJSON in a pipe. */
export function screenFor(output: Output = stdout): Screen {
  return output.isTerminal ? terminal(output, styleFor(true, process.env)) : lines(output);
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

function terminal(output: Output, style: Style): Screen {
  const say = (text: string) => output.write(`${text}\n`);
  return {
    opening: (socket, directory) =>
      say(
        [
          `${style.bold('figd demo')}: a simulated venue, the daemon, and this tail as one of its consumers.`,
          `Any program can read the same events now: ${style.bold(`socat - UNIX-CONNECT:${socket}`)}`,
          `or in another terminal:                   ${style.bold(`figd tail --local.directory ${directory}`)}`,
          style.dim('Tokens live 20 s and waits are short, so that much happens in little time. Ctrl-C ends it.'),
          '',
        ].join('\n'),
      ),
    event: (event) => say(eventLine(event, style)),
    fault: (number, title) => say(`\n${style.bad(`⚡ fault ${number}`)}  ${style.bold(title)}`),
    healed: (_, { healedMs }) =>
      say(
        healedMs === null
          ? `${style.good('✓ unharmed')}  the session carries on, and what came is passed on as it came\n`
          : `${style.good(`✓ healed in ${seconds(healedMs)}`)}\n`,
      ),
    summary: (summary) => say(summaryText(summary, style)),
  };
}

function summaryText({ faults, ...balance }: Summary, style: Style): string {
  const times = faults.flatMap(({ healedMs }) => (healedMs === null ? [] : [healedMs])).sort((a, b) => a - b);
  const unharmed = faults.length - times.length;
  const healing = times.length === 0 ? '' : `, healed in ${seconds(times[0] ?? 0)} to ${seconds(times.at(-1) ?? 0)}`;
  const flawless = balance.lost + balance.doubled + balance.holes === 0;
  const verdict = `lost ${balance.lost}, doubled ${balance.doubled}, holes in the sequence ${balance.holes}`;
  return [
    '',
    style.bold(`${countOf(balance.events, 'event')} in ${balance.seconds} s`),
    `${countOf(faults.length, 'fault')}${unharmed > 0 ? `, ${unharmed} without harm` : ''}${healing}`,
    `blind for ${seconds(balance.blindMs)} in ${countOf(balance.gaps, 'gap')}, each announced to every consumer`,
    flawless ? style.good(`${verdict}: frame by frame against what the venue sent`) : style.bad(verdict),
  ].join('\n');
}

function lines(output: Output): Screen {
  const say = (fact: object) => output.write(`${JSON.stringify(fact)}\n`);
  return {
    opening: (socket) => say({ demo: 'started', socket }),
    event: (_, bytes) => output.write(Buffer.concat([bytes, Buffer.from('\n')])),
    fault: (number, title) => say({ demo: 'fault', number, title }),
    healed: (number, report) => say({ demo: 'healed', number, ...report }),
    summary: (summary) => say({ demo: 'summary', ...summary }),
  };
}
