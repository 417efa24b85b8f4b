import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const every = globSync('test/**/*.test.ts', { cwd: import.meta.dirname, exclude: ['test/systemd/**'] });
/** What puts another module in the place of one must not meet those who have loaded that, nor they it. */
const replacing = every.filter((file) => readFileSync(join(import.meta.dirname, file), 'utf8').includes('vi.mock('));

/** What lasts longest comes first, and after that what starts processes: at the end there is little to wait for. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      moduleId.includes('/test/simulation/') ? 0 : /\/test\/(build|commands|e2e)\//.test(moduleId) ? 1 : 2;
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/support/program.ts'],
    // Two cores: more workers make real-process tests compete for the clock they assert on. The third one only waits
    // for the simulation, which takes what is left.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // What is waited for has deadlines of its own, with words; this one only ends what hangs.
    testTimeout: 60_000,
    hookTimeout: 20_000,
    // An error nobody holds is a product bug here, never noise.
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      // A process of its own for each file would take a quarter of the time of all of them.
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: ['test/systemd/**', ...replacing],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: replacing } },
    ],
  },
});
