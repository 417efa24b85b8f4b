import { readFileSync, writeFileSync } from 'node:fs';
import {
  clientRefusals,
  closeCodes,
  closeWords,
  handshakeRefusals,
  httpStatuses,
  networkCodes,
  rpcCodes,
  rpcRefusals,
} from '../../src/adapters/wire-codes.ts';
import { loadSettings } from '../../src/config/load.ts';
import { longestRetryAfterMs, retryDelay } from '../../src/machines/policies/backoff.ts';
import { advice, type FailureClass, type FailureCode, failure, failureCodes } from '../../src/protocol/failure.ts';
import { classNotes, failureNotes } from './failure-notes.ts';

const page = new URL('../../docs/failures.md', import.meta.url);
const codes = Object.keys(failureCodes) as FailureCode[];
const classes = Object.keys(classNotes) as FailureClass[];
const manyFailures = 1_000;
const almostOne = 1 - 2 ** -53;

const { backoff } = loadSettings({
  env: { FIGD_CREDENTIALS__CLIENT_ID: 'id', FIGD_CREDENTIALS__CLIENT_SECRET: 'secret' },
  flags: {},
  systemFile: '/nonexistent/figd.yaml',
}).session;

const introduction = [
  '# Failures',
  '',
  'Every failure has a class, which decides when figd tries again, and a stable code, which stands in the log (`code`),',
  'in `figd status --json` (`session.lastClose`, `token.lastError`), in `figd.gap` (`cause`) and in the metrics. Each code',
  'has a section here, so that `failures.md#half-open` is a link to keep. Where the venue used a code that figd does not',
  'know, `unknown` names it (`close 4777`, `rpc -32042`, `http 418`).',
  '',
  'No more than ten dials and twelve token requests are made in any minute, whatever the class. Waits are those of the',
  'configuration as it comes. This page is made from the code: `node test/docs/failures-page.ts --write`.',
  '',
];

/** docs/failures.md, from the catalogue and the tables in the code. */
export function failuresPage(): string {
  return [
    ...introduction,
    '## Classes',
    '',
    '| class | what it means | what figd does |',
    '|---|---|---|',
    ...classes.map((name) => `| ${name} | ${classNotes[name]} | ${classPace(name)} |`),
    '',
    '## Codes',
    '',
    '| code | class | what it means |',
    '|---|---|---|',
    ...classes.flatMap((name) => codes.filter((code) => failureCodes[code][0] === name)).map(row),
    '',
    ...classes.flatMap((name) => codes.filter((code) => failureCodes[code][0] === name)).flatMap(section),
  ].join('\n');
}

function row(code: FailureCode): string {
  return `| [\`${code}\`](#${code}) | ${failureCodes[code][0]} | ${failureNotes[code].means} |`;
}

function section(code: FailureCode): readonly string[] {
  const { means, does, can, causes = [] } = failureNotes[code];
  const wire = [...httpCauses(code), ...closeCauses(code), ...rpcCauses(code), ...networkCauses(code), ...causes];
  return [
    `## ${code}`,
    '',
    means,
    '',
    `- Class: ${failureCodes[code][0]}.`,
    `- What figd does: ${does ?? pace(code)}`,
    `- What you can do: ${can ?? advice(code)}`,
    `- What causes it: ${wire.join('; ')}.`,
    '',
  ];
}

/** The pace of a class is that of most of its codes. */
function classPace(name: FailureClass): string {
  const paces = codes.filter((code) => failureCodes[code][0] === name).map(pace);
  const count = (text: string) => paces.filter((other) => other === text).length;
  return paces.toSorted((a, b) => count(b) - count(a))[0] ?? '';
}

/** When figd tries again, as the policy itself computes it. */
function pace(code: FailureCode): string {
  const first = delays(code, 0);
  const last = delays(code, manyFailures);
  const kind = failureCodes[code][0];
  if (last[1] === 0) return 'figd dials again at once.';
  if (kind === 'limited') {
    const least = [0, manyFailures].map((times) => time(delays(code, times, 0)[0])).join(' doubling to ');
    return `figd waits as long as the venue asked, ${time(longestRetryAfterMs)} at most and no less than ${least}, and up to a tenth longer; where it named no time, ${range(first)} at first and ${range(last)} in the end.`;
  }
  if (last[0] === 0) {
    return `figd tries again with full jitter: up to ${time(first[1])} at first, doubling to ${time(last[1])}.`;
  }
  const probe = kind === 'refused' ? ', and at once when the credentials change' : '';
  return `figd tries again after ${range(first)} at first, doubling to ${range(last)}${probe}.`;
}

function delays(code: FailureCode, failedBefore: number, retryAfterMs?: number): readonly [number, number] {
  const found = failure(code, '', retryAfterMs);
  const at = (chance: number) =>
    Math.round(retryDelay({ failure: found, failedBefore, settings: backoff, random: () => chance }));
  return [at(0), at(almostOne)];
}

function range([low, high]: readonly [number, number]): string {
  return low === high ? time(high) : `${time(low)}–${time(high)}`;
}

function time(ms: number): string {
  return ms >= 120_000 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}

function numbers(table: Readonly<Record<number, FailureCode>>, code: FailureCode): readonly number[] {
  const found = Object.keys(table).map(Number);
  return found.filter((number) => table[number] === code).sort((a, b) => Math.abs(a) - Math.abs(b));
}

function named(kind: string, found: readonly (number | string)[]): readonly string[] {
  return found.length === 0 ? [] : [`${kind} ${found.join(', ')}`];
}

function httpCauses(code: FailureCode): readonly string[] {
  if (code === 'upgrade-refused') {
    const statuses = handshakeRefusals.flatMap((means) => numbers(httpStatuses, means)).sort((a, b) => a - b);
    return named('in reply to a handshake HTTP 2xx, 3xx, an unknown 4xx, or', statuses);
  }
  const statuses = named('HTTP', numbers(httpStatuses, code));
  if (code !== 'credentials-refused') return statuses;
  return named(
    'HTTP 400 in reply to a token request with the error',
    clientRefusals.map((error) => `\`${error}\``),
  );
}

function closeCauses(code: FailureCode): readonly string[] {
  const examples = closeWords.filter(({ means }) => means === code).map(({ example }) => `"${example}"`);
  return [...named('close code', numbers(closeCodes, code)), ...named('a close reason such as', examples)];
}

function rpcCauses(code: FailureCode): readonly string[] {
  const signed = (number: number) => String(number).replace('-', '−');
  if (code === 'token-refused' || code === 'credentials-refused') {
    const refusals = rpcRefusals.map(signed).join(' or ');
    return [
      `JSON-RPC error ${refusals} in reply to \`auth\`, or an unknown one whose message speaks of a refusal`,
      'a reply to `auth` with `success: false`, or a `status` that speaks of a refusal',
      'a subscription refused for its authentication, where no channel is confirmed',
    ];
  }
  return named('JSON-RPC error', numbers(rpcCodes, code).map(signed));
}

function networkCauses(code: FailureCode): readonly string[] {
  return (networkCodes[code] ?? []).map((name) => `\`${name}\``);
}

export function writtenFailuresPage(): string {
  return readFileSync(page, 'utf8');
}

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) writeFileSync(page, failuresPage());
