import { defineConfig } from 'vitest/config';

/** What takes root, minutes and a system of its own: `npm run test:systemd`. */
export default defineConfig({
  test: {
    include: ['test/systemd/**/*.test.ts'],
    fileParallelism: false,
    bail: 1,
    testTimeout: 120_000,
    hookTimeout: 900_000,
  },
});
