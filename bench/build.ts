import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What users of the package run: plain JavaScript, as `npm run build` makes it. */
export const program = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));

/** What `bin/figd` gives Node. */
export const nodeFlags = ['--max-semi-space-size=4'];

/** Builds figd as it is now. @throws where it does not compile */
export function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
