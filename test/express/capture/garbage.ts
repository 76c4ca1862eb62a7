/** Collects garbage in a test that asks what is still held. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

export function collectGarbage(): void {
  if (typeof collect !== 'function') throw new Error('Garbage cannot be collected on demand');
  collect();
}
