import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What users of the package run, as `npm run build` makes it. */
export const program = fileURLToPath(new URL('../dist/npm/figd.mjs', import.meta.url));

/** Builds figd as it is now. @throws where that fails */
export function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
