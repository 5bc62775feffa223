import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Many cases start the command line as a process of its own.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
