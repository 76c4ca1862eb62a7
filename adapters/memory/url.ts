/** Reads `memory:` URLs. */

import { HotshelfError } from '../../src/support/errors.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import { memory, type MemoryBackend } from './backend.ts';

const names = ['maxBytes', 'maxEntries', 'maxValueBytes', 'maxRankedMembers'] as const;

/**
 * Returns the backend for `memory:` with `maxBytes`, `maxEntries`, `maxValueBytes` and `maxRankedMembers` in the query:
 * `memory:?maxBytes=1000000`.
 *
 * @throws {HotshelfError} `URL_INVALID` or `OPTION_INVALID`.
 */
export function memoryFromUrl(url: string): MemoryBackend {
  const match = /^memory:(?:\/\/)?(?:\?(.*))?$/is.exec(url);
  if (match === null) {
    throw new HotshelfError(
      'URL_INVALID',
      'Expected "memory:" or "memory:?maxBytes=…"; a memory URL has no host and no path.',
    );
  }
  const query = Object.fromEntries(new URLSearchParams(match[1] ?? ''));
  checkOptionNames(query, names, 'The memory: URL');
  return memory(Object.fromEntries(Object.entries(query).map(([name, text]) => [name, Number(text)])));
}
