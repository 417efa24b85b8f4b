import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const adapters = new URL('../../src/adapters/', import.meta.url).href;
const config = new URL('../../src/config/', import.meta.url).href;

/** Runs statements in a process of its own, whose standard output is the log. */
async function logOf(statements: string, options = { level: 'info', pretty: false }): Promise<string[]> {
  const script = `
    import { createLogger } from '${adapters}logger.ts';
    import { Vault } from '${adapters}vault.ts';
    import { Secret } from '${config}secret.ts';
    const vault = new Vault({ clientId: new Secret('client-0815'), clientSecret: new Secret('hush"hush/1') });
    vault.keep({ value: 'token-4711', generation: 1 }, 'refresh-4711');
    const logger = createLogger({ ...${JSON.stringify(options)}, redact: (line) => vault.redact(line) });
    ${statements}
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 15_000,
  });
  return stdout.split('\n').filter((line) => line !== '');
}

it('writes lines of JSON, the last one before an exit included', async () => {
  const lines = await logOf("logger.info({ session: 7 }, 'live'); logger.debug('unheard'); logger.fatal('the last');");
  const [first, last, ...others] = lines.map((line) => JSON.parse(line));
  const common = { time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), pid: expect.any(Number) };
  expect(first).toEqual({ ...common, level: 'info', session: 7, msg: 'live' });
  expect(last).toEqual({ ...common, level: 'fatal', msg: 'the last' });
  expect(others).toEqual([]);
});

it('keeps what somebody should look at for whoever asks later, without a secret, and not more than a hundred lines', async () => {
  const lines = await logOf(
    `const { RecentLines } = await import('${adapters}recent-lines.ts');
     const recent = new RecentLines();
     const other = createLogger({ level: 'trace', pretty: false, redact: (line) => vault.redact(line), onLine: (line) => recent.note(line) });
     other.error({ level: 'debug' }, 'the first');
     for (let at = 0; at < 100; at += 1) {
       other.info('not this');
       other.warn({ at }, 'token-4711 ' + '.'.repeat(at === 99 ? 2_000 : 0));
     }
     logger.info({ lines: recent.lines }, 'kept');`,
  );
  const { lines: kept } = JSON.parse(lines.at(-1) ?? '{}') as { readonly lines: readonly string[] };
  expect(kept).toHaveLength(100);
  expect(kept.map((line) => Number(/"at":(\d+)/.exec(line)?.[1]))).toEqual([...Array(100).keys()]);
  expect(kept[0]).toContain('[secret]');
  expect(kept.at(-1)).toHaveLength(1_000);
});

it.each([false, true])('lets no secret out, wherever it stands in a line (pretty: %s)', async (pretty) => {
  const lines = await logOf(
    `logger.info('msg hush"hush/1 and token-4711');
     logger.warn({ key: 'client-0815', deep: { list: ['x=refresh-4711'] }, ['token-4711']: 1 }, 'fields');
     logger.error({ err: new Error('refused: hush"hush/1', { cause: new Error('token-4711') }) }, 'an error');
     logger.info({ url: 'https://x/?s=' + encodeURIComponent('hush"hush/1') }, 'url');
     logger.child({ token: 'token-4711' }).info('child');
     logger.info('Authorization: Bearer somebody.elses" token');`,
    { level: 'info', pretty },
  );
  const text = lines.join('\n');
  for (const hidden of [
    'hush"hush',
    'hush\\"hush',
    'hush%22hush',
    'client-0815',
    'token-4711',
    'refresh-4711',
    'elses',
  ]) {
    expect(text).not.toContain(hidden);
  }
  expect(text.match(/\[secret\]/g)?.length).toBeGreaterThanOrEqual(9);
  if (!pretty) expect(lines.map((line) => typeof JSON.parse(line))).toEqual(Array(6).fill('object'));
});
