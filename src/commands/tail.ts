import { eventsSocketName, type From } from '../protocol/local.ts';
import type { Command } from './command.ts';
import { durationArgument, UsageError } from './terminal/arguments.ts';
import { asExit, type DaemonOptions, daemonOptions, localDirectory } from './terminal/daemon-options.ts';
import { eventLine, lostLine } from './terminal/event-line.ts';
import { type Followed, followEvents } from './terminal/follow-events.ts';
import { interrupted } from './terminal/interrupt.ts';
import { notice, stdout } from './terminal/output.ts';
import { type Style, styleFor } from './terminal/style.ts';

interface TailOptions extends DaemonOptions {
  readonly channels: readonly string[] | undefined;
  readonly from: string | undefined;
  readonly since: string | undefined;
  readonly count: string | undefined;
  readonly json: boolean;
}

/** `figd tail`: the events as they come, or from the log. */
export const tail: Command<TailOptions> = {
  command: 'tail [channels..]',
  describe: 'Show events: readable in a terminal, as NDJSON when piped',
  builder: (yargs) =>
    yargs
      .positional('channels', { type: 'string', array: true, describe: 'Channels or patterns, rfq.*; all when absent' })
      .options({
        ...daemonOptions,
        from: { type: 'string', requiresArg: true, describe: 'Start at EPOCH:SEQ, oldest or now', conflicts: 'since' },
        since: { type: 'string', requiresArg: true, describe: 'Start with what came in the last 10m, 2h, …' },
        count: { type: 'string', requiresArg: true, describe: 'End after so many events' },
        json: { type: 'boolean', default: false, describe: 'NDJSON in a terminal too' },
      })
      .example('figd tail', 'everything from now on')
      .example("figd tail 'rfq.*' --since 10m", 'the RFQs of the last ten minutes, and what follows')
      .example(`figd tail --json | jq 'select(.session > 0).message'`, "the venue's own frames")
      .example('figd tail --from 3f9c:1200 --count 1', 'one event by its number')
      .epilogue(
        'A line of NDJSON is an event with the venue\'s frame in it byte for byte, or {"lost":{…}} in place of events ' +
          'that are gone. What figd itself has to say comes on figd.state and figd.gap, whatever channels are chosen. ' +
          'It goes on where it was when the daemon restarts.',
      ),
  handler: async (options) => {
    const count = options.count === undefined ? Number.POSITIVE_INFINITY : parseCount(options.count);
    const from =
      options.since === undefined
        ? parseFrom(options.from ?? 'now')
        : { since: Date.now() - durationArgument('--since', options.since) };
    const path = `${await localDirectory(options)}/${eventsSocketName}`;
    const end = AbortSignal.any([interrupted(), stdout.gone]);
    const style = stdout.isTerminal && !options.json ? styleFor(true, process.env) : undefined;
    try {
      const followed = followEvents({ path, channels: options.channels ?? [], from, onMute }, end);
      await print(followed, { count, style });
    } catch (error) {
      throw asExit(error);
    }
  },
};

/** Quiet market and hanging daemon must not look the same. */
function onMute(mute: boolean): void {
  void notice(
    mute ? 'the daemon has said nothing for seconds, not even its ticks: it hangs' : 'the daemon is heard again',
  );
}

interface Printing {
  readonly count: number;
  /** Absent for NDJSON. */
  readonly style: Style | undefined;
}

async function print(followed: AsyncIterable<Followed>, { count, style }: Printing): Promise<void> {
  let left = count;
  for await (const item of followed) {
    switch (item.kind) {
      case 'event': {
        await stdout.write(style ? `${eventLine(item.event, style)}\n` : Buffer.concat([item.bytes, lineFeed]));
        left -= 1;
        if (left === 0) return;
        break;
      }
      case 'lost': {
        const { from, to, reason } = item;
        await stdout.write(`${style ? lostLine(item, style) : JSON.stringify({ lost: { from, to, reason } })}\n`);
        break;
      }
      case 'interrupted':
        await notice(`${item.cause.message}; waiting for the daemon to come back`);
        break;
      case 'resumed':
        await notice(`the daemon is back; going on at ${item.from}`);
        break;
    }
  }
}

const lineFeed = Buffer.from('\n');

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new UsageError(`--count is a number of events from 1 up, not ${text}`);
  return count;
}

function parseFrom(text: string): From {
  if (text === 'oldest' || text === 'now') return text;
  const [, epoch, seq] = /^(.+):(\d{1,15})$/.exec(text) ?? [];
  if (epoch === undefined) throw new UsageError(`--from is EPOCH:SEQ, oldest or now, not ${text}`);
  return { epoch, seq: Number(seq) };
}
