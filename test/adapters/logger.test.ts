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
