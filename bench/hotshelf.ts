/** The package as users run it: compiled. Types come from the source, so that nothing need be built to check them. */
import type * as Adapters from '../adapters/redis/index.ts';
import type * as Memory from '../adapters/memory/index.ts';
import type * as Core from '../src/index.ts';

async function compiled<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../dist/${path}`, import.meta.url).href)) as Module;
}

export const { createCache } = await compiled<typeof Core>('src/index.js');
export const { memory } = await compiled<typeof Memory>('adapters/memory/index.js');
export const { redis } = await compiled<typeof Adapters>('adapters/redis/index.js');
