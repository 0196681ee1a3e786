import { defineConfig } from 'vitest/config';

// The journeys share one VS Code and one browser and build on each other: in order, one at a time, no retries.
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.e2e.ts'],
    testTimeout: 90_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    sequence: { concurrent: false },
    bail: 0,
  },
});
