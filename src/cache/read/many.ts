/** Answers a read of many keys: what is kept here at once, the rest in one trip, and what is missing by one load. */

import type { Policy } from '../policy.ts';
import type { Space } from '../space.ts';
import type { Batch } from './batch.ts';
import type { Job } from '../load/load.ts';
import type { Reader } from './read.ts';

/** Returns the value of each key of `ids`, which gives the id of a key. */
export async function readMany<Id>(
  reader: Reader,
  space: Space,
  policy: Policy,
  ids: ReadonlyMap<string, Id>,
  batch: Batch<Id>,
): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>();
  const jobs: Job[] = [];
  for (const [key, id] of ids) {
    const verify = policy.verify > 0 && space.shelf.clock.random() < policy.verify;
    const kept = policy.fresh || verify || policy.accept !== undefined ? undefined : space.keptAt(key, policy.schema);
    if (kept !== undefined) found.set(key, kept.value);
    else jobs.push({ space, key, load: (context) => batch.load(id, context), policy, batch, verify });
  }
  for (const { key } of jobs) batch.expect(key);
  const read = async (job: Job) => {
    const { value } = await reader.read(job).finally(() => batch.settled(job.key));
    found.set(job.key, value);
  };
  await Promise.all(jobs.map(read));
  return found;
}
