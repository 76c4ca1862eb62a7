import { defineConfig } from 'vitest/config';

const conditions = ['hotshelf:source', 'node'];

/** What ran out of time on a busy machine is tried once more; a wrong answer never is. */
const retry = { count: 1, condition: /timed out|did not happen|no room after|still there \d+ ms/i };

const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'hotshelf',
          include: ['test/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          retry,
          execArgv: ['--conditions=hotshelf:source'],
        },
      },
      {
        // The same adapter tests once more, with the older ioredis that the peer range allows.
        ...shared,
        resolve: { conditions, alias: [{ find: /^ioredis$/, replacement: 'ioredis5' }] },
        test: {
          name: 'ioredis 5',
          include: ['test/adapters/redis/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          retry,
          execArgv: ['--conditions=hotshelf:source'],
        },
      },
    ],
  },
});
