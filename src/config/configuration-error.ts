/** One thing that is wrong with the configuration. None of its texts holds a credential. */
export interface Problem {
  /** The full dotted key (`session.heartbeatInterval`); for what concerns no key, the file, variable or flag. */
  readonly key: string;
  /** What is wrong, without the key: `40s is more than 29s`. */
  readonly problem: string;
  /** Where the value was written: `line 4 of /etc/figd/figd.yaml`, `FIGD_LOG__LEVEL`, `--log.level`. */
  readonly where?: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** The configuration cannot be used. The message names every problem found, one a line, each with its key. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(lineOf).join('\n'));
    this.problems = problems;
  }

  /** The message for people, with a heading. */
  get explanation(): string {
    const lines = this.message.split('\n').map((line) => `  ${line}`);
    return ['the configuration cannot be used:', ...lines].join('\n');
  }
}

function lineOf({ key, problem, where, advice }: Problem): string {
  return `${key}: ${problem}${where === undefined ? '' : ` (${where})`}${advice === undefined ? '' : `; ${advice}`}`;
}
