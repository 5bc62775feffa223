import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Many cases start the command line as a separate process, and the machine may be busy with other work. These limits
    // end hanging tests only; no test relies on them.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    // Tests leave the user's cache alone.
    env: { SFKIT_CACHE_SIZE: '0' },
    // Many tests wait for a process. The default on a machine with two processors is one worker.
    maxWorkers: '100%',
  },
});
