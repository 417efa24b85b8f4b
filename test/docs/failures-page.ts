import { readFileSync, writeFileSync } from 'node:fs';
import { type FailureClass, failureCodes } from '../../src/protocol/failure.ts';

const page = new URL('../../docs/failures.md', import.meta.url);

const classes: Readonly<Record<FailureClass, string>> = {
  refused:
    'The venue says no to who we are or what we may do. A human must act; figd asks again after 30 s, doubling to 5 min, and at once when the credentials change.',
  limited:
    'We ask too often, or the venue is busy. figd waits as long as the venue says, else 16 s times the number of tries, 5 min at most.',
  transient: 'Nothing is wrong for good. figd tries again with full jitter: up to 0.5 s at first, doubling to 20 s.',
  protocol: 'They or we broke a rule. figd tries again slowly, 5 s doubling to 60 s; somebody should look.',
  bug: 'A fault of figd.',
};

/** docs/failures.md, from the catalogue in the code. */
export function failuresPage(): string {
  const parts = Object.entries(classes).map(([name, meaning]) => {
    const rows = Object.entries(failureCodes)
      .filter(([, [of]]) => of === name)
      .map(([code, [, advice]]) => `| \`${code}\` | ${advice} |`);
    return [`## ${name}`, '', meaning, '', '| code | what it means for you |', '|---|---|', ...rows, ''].join('\n');
  });
  return [
    '# Failures',
    '',
    'Every failure has a class, which decides when figd tries again, and a stable code, which stands in the log (`code`),',
    'in `figd status --json` (`session.lastClose`, `token.lastError`), in `figd.gap` (`cause`) and in the metrics.',
    'No more than ten dials and twelve token requests are made in any minute, whatever the class. This page is made from',
    'the code: `node test/docs/failures-page.ts --write`.',
    '',
    ...parts,
  ].join('\n');
}

export function writtenFailuresPage(): string {
  return readFileSync(page, 'utf8');
}

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) writeFileSync(page, failuresPage());
