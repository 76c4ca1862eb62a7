/** Ways to break the uniques facet, and the cases that must notice each. */

import type { Uniques } from 'hotshelf';
import type { Breakage } from './broken-values.ts';

export const brokenUniques: readonly Breakage<Uniques>[] = [
  [
    'who comes again is counted again',
    (uniques) => {
      let times = 0;
      return {
        add: (key, members, ttlMs) =>
          uniques.add(
            key,
            members.map((member) => (member.length > 250 ? member : `${member}${(times += 1)}`)),
            ttlMs,
          ),
      };
    },
    'counts who comes again once',
    'counts who is under several keys once',
  ],
  [
    'texts are folded',
    (uniques) => ({
      add: (key, members, ttlMs) =>
        uniques.add(
          key,
          members.map((member) => (typeof member === 'string' ? member.normalize('NFC').toLowerCase() : member)),
          ttlMs,
        ),
    }),
    'tells any two texts apart',
  ],
  [
    'it stops counting at a thousand',
    (uniques) => ({ count: async (keys) => Math.min(1000, await uniques.count(keys)) }),
    'any number within 3 %',
  ],
  [
    'several keys are added up',
    (uniques) => ({
      count: async (keys) => {
        if (keys.length < 2) return uniques.count(keys);
        await uniques.count(keys);
        return (await Promise.all(keys.map((key) => uniques.count([key])))).reduce((sum, count) => sum + count, 0);
      },
    }),
    'counts who is under several keys once',
    'a thousand keys at once',
  ],
  [
    'nobody is ever forgotten',
    (uniques) => ({ add: (key, members, ttlMs) => uniques.add(key, members, ttlMs > 0 ? Infinity : ttlMs) }),
    'at the time that it was created with',
  ],
];
