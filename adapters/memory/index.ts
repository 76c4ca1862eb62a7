/** The backend in this process: `hotshelf/memory`. */

export { memory, type MemoryBackend } from './backend.ts';
export type { MemoryOptions } from './options.ts';
export { memoryFromUrl } from './url.ts';
