import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/program.ts'],
    exclude: ['test/systemd/**'],
    // Two cores: more workers make real-process tests compete for the clock they assert on.
    maxWorkers: 2,
    // What is waited for has deadlines of its own, with words; this one only ends what hangs.
    testTimeout: 60_000,
    hookTimeout: 20_000,
    // An error nobody holds is a product bug here, never noise.
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
