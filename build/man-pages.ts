import { commandLine } from '../src/commands/command-line.ts';
import { type ConfigurationKey, configurationKeys } from '../src/config/keys.ts';
import { version } from '../src/version.ts';

/** How often each command lists these is not worth the paper. */
const listedOnce = /^ {2}--(help|version) /;

/** figd(1), made of `--help`. */
export async function commandPage(date: Date): Promise<string> {
  const { usage, paragraphs, sections } = read(await helpOf());
  const commands = sections.get('Commands') ?? [];
  const names = commands.map((line) => /^ {2}figd (\S+)/.exec(line)?.[1] ?? '');
  // To ask for the help of that one is to run it.
  const details = await Promise.all(names.filter((name) => name !== 'completion').map(commandSection));
  return [
    heading('FIGD', 1, date),
    section('NAME', `figd \\- ${roff('one Fig Markets session, shared on local sockets')}`),
    section('SYNOPSIS', `.B ${roff(usage)}`),
    section('DESCRIPTION', paragraphs.slice(0, 1).map(roff).join('\n.PP\n')),
    section('COMMANDS', entries(commands)),
    ...details,
    section('EXAMPLES', entries(sections.get('Examples') ?? [])),
    section('EXIT STATUS', exitStatuses.map(([code, meaning]) => entry(String(code), meaning)).join('\n')),
    section('FILES', files.map(([path, meaning]) => entry(path, meaning)).join('\n')),
    section('SEE ALSO', '.BR figd.yaml (5),\n.BR systemd.exec (5)'),
  ].join('\n');
}

/** figd.yaml(5), made of the schema of the configuration. */
export function configurationPage(date: Date, example: string): string {
  const blocks = Map.groupBy(configurationKeys, ({ path: [block = ''] }) => block);
  const keys = [...blocks].map(([block, known]) => `.SS ${block}\n${known.map(keyEntry).join('\n')}`);
  return [
    heading('FIGD.YAML', 5, date),
    section('NAME', `figd.yaml \\- ${roff('configuration of figd')}`),
    section('SYNOPSIS', '.I /etc/figd/figd.yaml'),
    section('DESCRIPTION', layers.map(roff).join('\n.PP\n')),
    section('KEYS', keys.join('\n')),
    section('EXAMPLE', `.EX\n${example.trimEnd().split('\n').map(roff).join('\n')}\n.EE`),
    section('SEE ALSO', '.BR figd (1)'),
  ].join('\n');
}

const layers = [
  'One YAML document. Every key has a default that suits the test environment of the venue; only the credentials have none. A key that figd does not know is an error.',
  'A key can also be given as a variable, venue.restUrl as FIGD_VENUE__REST_URL, or as an option, --venue.rest-url: variables replace what the file says, options replace both. Durations are written 500ms, 10s, 5m, 2h or 7d, sizes 64KiB, 1MiB or 2GiB.',
  'figd check tries a configuration without starting the daemon.',
];

const exitStatuses = [
  [0, 'Done; for status: live.'],
  [1, 'Not done: refused, not possible now, or not in time; for status: degraded.'],
  [2, 'For status: down, or blocked by the venue.'],
  [3, 'For status: no daemon runs.'],
  [64, 'The command line is wrong.'],
  [70, 'figd itself has failed, and is best started again.'],
  [78, 'The configuration is wrong; each problem is named with its key.'],
] as const;

const files = [
  ['/etc/figd/figd.yaml', 'The configuration, see figd.yaml(5). Instances of figd@.service: /etc/figd/NAME.yaml.'],
  ['/etc/figd/client-id, /etc/figd/client-secret', 'The credentials, which the unit has systemd hand to figd.'],
  ['/run/figd/events.sock', 'Events, for the group figd.'],
  ['/run/figd/control.sock', 'All that figd can do, for the user figd.'],
  ['/var/lib/figd', 'The journal of events, the numbers they have, and the ledger of gaps.'],
] as const;

function helpOf(...command: string[]): Promise<string> {
  return commandLine(command).wrap(null).getHelp();
}

async function commandSection(name: string): Promise<string> {
  const { usage, paragraphs, sections } = read(await helpOf(name));
  const [about = '', ...more] = paragraphs;
  const parts = [`.SS ${roff(usage)}`, roff(about)];
  for (const [title, lines] of sections) {
    const kept = lines.filter((line) => !listedOnce.test(line));
    if (kept.length === 0) continue;
    parts.push(title === 'Options' || title === 'Positionals' ? '' : `.PP\n${roff(title)}:`, entries(kept));
  }
  parts.push(...more.map((paragraph) => `.PP\n${roff(paragraph)}`));
  return parts.filter((part) => part !== '').join('\n');
}

interface Help {
  readonly usage: string;
  readonly paragraphs: readonly string[];
  readonly sections: ReadonlyMap<string, readonly string[]>;
}

/** Takes the help text apart: its first line, paragraphs, and titled lists of two columns. */
function read(help: string): Help {
  const [usage = '', ...blocks] = help.trim().split(/\n\n/);
  const sections = new Map<string, readonly string[]>();
  const paragraphs: string[] = [];
  for (const block of blocks) {
    const [first = '', ...lines] = block.split('\n');
    const isList = first.endsWith(':') && lines.length > 0 && lines.every((line) => /^ {2}\S.* {2}\S/.test(line));
    if (isList) sections.set(first.slice(0, -1), lines);
    else paragraphs.push(block.split('\n').join(' '));
  }
  return { usage, paragraphs, sections };
}

function entries(lines: readonly string[]): string {
  return lines
    .map((line) => {
      const [, term = '', meaning = ''] = /^ {2}(\S.*?) {2,}(.*)$/.exec(line) ?? [];
      return entry(term, meaning);
    })
    .join('\n');
}

function keyEntry({ key, variable, description, default: byDefault }: ConfigurationKey): string {
  const [about, ...rest] = [description, ...(byDefault === undefined ? [] : [`Default: ${byDefault}.`])];
  return entry(key, [about, ...rest, `Variable: ${variable}.`].join(' '));
}

function entry(term: string, meaning: string): string {
  return `.TP\n.B ${roff(term)}\n${roff(meaning)}`;
}

function heading(title: string, part: number, date: Date): string {
  return `.TH ${title} ${part} ${date.toISOString().slice(0, 10)} "figd ${version}" "figd"`;
}

function section(title: string, body: string): string {
  return `.SH ${title}\n${body}`;
}

/** Text as roff has to have it to show it as it is. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}
