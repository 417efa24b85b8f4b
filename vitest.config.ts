import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that keep to themselves: no process, no file, no timer but their own. */
const pure = ['config', 'daemon', 'gateway', 'log', 'machines', 'protocol'].map(
  (place) => `test/${place}/**/*.test.ts`,
);

/** What lasts longest comes first, and after that what starts processes: at the end there is little to wait for. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) =>
      moduleId.includes('/test/simulation/') ? 0 : project.name === 'real' ? 1 : 2;
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
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      { extends: true, test: { name: 'real', include: ['test/**/*.test.ts'], exclude: ['test/systemd/**', ...pure] } },
    ],
  },
});
