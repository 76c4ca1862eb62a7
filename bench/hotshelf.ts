/** The package as users run it: compiled. Types come from the source, so that nothing need be built to check them. */
import { createRequire } from 'node:module';
import type * as Ioredis from 'ioredis';
import type * as Memory from '../adapters/memory/index.ts';
import type * as Decorators from '../src/decorators/index.ts';
import type * as Edge from '../src/express/index.ts';
import type * as Core from '../src/index.ts';
import type * as Leaderboards from '../src/leaderboards/index.ts';
import type * as Limits from '../src/limits/index.ts';
import type * as Sessions from '../src/sessions/index.ts';
import type * as Fifo from '../src/support/s3-fifo.ts';

async function compiled<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../dist/${path}`, import.meta.url).href)) as Module;
}

export const { connect, createCache } = await compiled<typeof Core>('src/index.js');
export const { cached } = await compiled<typeof Decorators>('src/decorators/index.js');
export const { cacheResponses, responseFront } = await compiled<typeof Edge>('src/express/index.js');
export const { login, sessions, SessionStore } = await compiled<typeof Sessions>('src/sessions/index.js');
export const { leaderboard } = await compiled<typeof Leaderboards>('src/leaderboards/index.js');
export const { limiter } = await compiled<typeof Limits>('src/limits/index.js');
export const { FifoMap, FifoNode, S3Fifo } = await compiled<typeof Fifo>('src/support/s3-fifo.js');
export const { memory } = await compiled<typeof Memory>('adapters/memory/index.js');

/** The client that hotshelf itself uses: the other caches bring an older one, and a floor must stand on the same. */
export const { Redis } = createRequire(new URL('../dist/adapters/redis/index.js', import.meta.url))(
  'ioredis',
) as typeof Ioredis;

/** Returns a backend that is connected. */
export function redisOn(port: number) {
  return connect(`redis://127.0.0.1:${port}`, { requireWithin: '10s' });
}
