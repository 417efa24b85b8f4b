import type { CredentialSource, Credentials } from '../config/credentials.ts';
import type { StepOutcome } from '../daemon/preflight/step.ts';
import { type Command, ExitError, exitCode } from './command.ts';
import { type ConfigurationArguments, orExit, settingsFrom, trustAsSet, withConfiguration } from './configuration.ts';
import { stdout } from './terminal/output.ts';
import { type Style, styleFor } from './terminal/style.ts';
import { wrap } from './terminal/wrap.ts';

export type CheckArguments = ConfigurationArguments & { readonly json: boolean };

/** `figd check`: walks the way to live events without starting the daemon, a line a step. */
export const check: Command<CheckArguments> = {
  command: 'check',
  describe: 'Try every step to live events, without starting, and say what works',
  builder: async (yargs) =>
    (await withConfiguration(yargs))
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
      .example('figd check --config figd.yaml', 'before the first start')
      .epilogue('Exit code: 0 everything works, 1 something does not.'),
  handler: async (argv) => {
    const style = styleFor(stdout.isTerminal, process.env);
    const outcomes: StepOutcome[] = [];
    for await (const outcome of steps(argv)) {
      outcomes.push(outcome);
      if (!argv.json) await stdout.write(line(outcome, style));
    }
    const ok = outcomes.every(({ result }) => result === 'ok');
    if (argv.json) await stdout.write(`${JSON.stringify({ ok, steps: outcomes }, null, 2)}\n`);
    process.exitCode = ok ? exitCode.ok : exitCode.failed;
  },
};

/** Configuration and credentials come first: without them there is nothing to try. */
async function* steps(argv: CheckArguments): AsyncGenerator<StepOutcome> {
  const failed = (step: string, error: unknown): StepOutcome => {
    if (error instanceof ExitError) return { step, result: 'failed', detail: error.message };
    throw error;
  };
  let settings: Awaited<ReturnType<typeof settingsFrom>>;
  try {
    settings = await settingsFrom(argv);
    await trustAsSet(settings);
  } catch (error) {
    yield failed('configuration', error);
    return;
  }
  const { profile, environment, restUrl } = settings.venue;
  yield { step: 'configuration', result: 'ok', detail: `profile ${profile}, environment ${environment}, ${restUrl}` };
  const { loadCredentials } = await import('../config/credentials.ts');
  let credentials: ReturnType<typeof loadCredentials>;
  try {
    credentials = await orExit(() => loadCredentials(settings.credentials, process.env));
  } catch (error) {
    yield failed('credentials', error);
    return;
  }
  yield {
    step: 'credentials',
    result: 'ok',
    detail: whereFrom(credentials.source),
  };
  const [{ preflight }, { Vault }, { systemClock }] = await Promise.all([
    import('../daemon/preflight.ts'),
    import('../adapters/vault.ts'),
    import('../adapters/system-clock.ts'),
  ]);
  yield* preflight({ settings: () => settings, vault: new Vault(credentials), clock: systemClock() });
}

/** Where the credentials were found, never what they are. */
function whereFrom({ clientId, clientSecret }: Credentials['source']): string {
  const [id, secret] = [clientId, clientSecret].map(placeOf);
  return id === secret ? `client id and secret from ${id}` : `client id from ${id}, secret from ${secret}`;
}

function placeOf(source: CredentialSource): string {
  if (source.from === 'configuration') return 'the configuration';
  return source.from === 'file' ? source.file : `the credentials directory, ${source.file}`;
}

const stepWidth = 16;
/** Where the text of a step begins: behind the mark and its name. */
const textColumn = 9 + stepWidth + 1;
const narrowest = 30;

function line({ step, result, detail, advice }: StepOutcome, style: Style): string {
  const mark = { ok: style.good('ok     '), failed: style.bad('FAILED '), skipped: style.dim('skipped') }[result];
  const [head = '', ...more] = detail.split('\n');
  const [first = '', ...rest] = linesOf(head);
  const lines = [`${mark}  ${step.padEnd(stepWidth)} ${first}`, ...rest.map(indented), ...more];
  if (advice !== undefined) lines.push(...linesOf(advice).map((part) => indented(style.bold(part))));
  return `${lines.join('\n')}\n`;
}

function indented(text: string): string {
  return `${' '.repeat(textColumn)}${text}`;
}

/** Where somebody reads it, words stay whole and in their column; where a program does, lines do. */
function linesOf(text: string): readonly string[] {
  const width = (stdout.columns ?? 0) - textColumn;
  return width < narrowest ? [text] : wrap(text, width);
}
