/** Breaks a backend on purpose, one promise at a time: a suite that passes then could not fail at all. */

import { describe, expect, it } from 'vitest';
import { memory } from 'hotshelf/memory';
import {
  busSuite,
  changesSuite,
  countersSuite,
  fakeClock,
  limitsSuite,
  rankingsSuite,
  uniquesSuite,
  valuesSuite,
  type ConformanceCase,
} from 'hotshelf/testing';
import { brokenBus, brokenCounters } from './broken-counters-and-bus.ts';
import { brokenLimits } from './broken-limits.ts';
import { brokenRankings } from './broken-rankings.ts';
import { brokenUniques } from './broken-uniques.ts';
import { brokenValues } from './broken-values.ts';
import { brokenChanges, toldMemory } from './told-memory.ts';

/** Puts `own` in front of what `facet` has; methods of the facet keep their `this`. */
function broken<Facet extends object>(facet: Facet, own: Partial<Facet>): Facet {
  return new Proxy(facet, {
    get(target, name) {
      const value: unknown = Reflect.get(name in own ? own : target, name);
      return typeof value === 'function' && !(name in own) ? value.bind(target) : value;
    },
  });
}

/** Returns the names of the cases that fail as a case should; one that stumbles is named as such. */
async function namesOfFailures(cases: readonly ConformanceCase[]): Promise<string[]> {
  const failures: string[] = [];
  for (const { name, run } of cases) {
    await run().catch((error: unknown) => {
      const isMeant = error instanceof Error && ['AssertionError', 'HotshelfError'].includes(error.name);
      failures.push(isMeant ? name : `stumbled: ${name}: ${String(error)}`);
    });
  }
  return failures;
}

describe.each([
  ['values', brokenValues, valuesSuite],
  ['counters', brokenCounters, countersSuite],
  ['limits', brokenLimits, limitsSuite],
  ['rankings', brokenRankings, rankingsSuite],
  ['uniques', brokenUniques, uniquesSuite],
  ['bus', brokenBus, busSuite],
] as const)('the suite of %s notices that', (facet, breakages, suite) => {
  it.each(breakages.map(([what, breakIt, ...noticedBy]) => ({ what, breakIt, noticedBy })))(
    '$what',
    async ({ breakIt, noticedBy }) => {
      const clock = fakeClock();
      const create = async () => {
        const whole = memory({ clock });
        // The table pairs each suite with breakages of its own facet.
        const own = (breakIt as (whole: unknown) => object)(whole[facet]);
        const backend = { ...whole, [facet]: broken<object>(whole[facet], own) };
        return { backend, close: () => whole.close() };
      };
      const failures = await namesOfFailures(suite({ create, advance: (ms) => clock.advance(ms) }));
      expect(noticedBy.filter((part) => !failures.some((name) => name.includes(part)))).toEqual([]);
      expect(failures.filter((name) => name.startsWith('stumbled'))).toEqual([]);
      expect(failures).not.toEqual([]);
    },
  );
});

describe('the suite of changes', () => {
  const failuresOf = (...broken: [Parameters<typeof toldMemory>[1]?, string?]) => {
    const clock = fakeClock();
    let outside: ReturnType<typeof toldMemory>['outside'] | undefined;
    const create = async () => {
      const made = toldMemory(clock, ...broken);
      outside = made.outside;
      return { backend: made.backend, close: () => made.backend.close() };
    };
    const others = {
      set: async (key: string, text: string) => outside?.set(key, text),
      flush: async () => outside?.flush(),
      cut: async () => outside?.cut(),
    };
    return namesOfFailures(changesSuite({ create, outside: others, advance: (ms) => clock.advance(ms) }));
  };

  it('passes where all is well', async () => {
    expect(await failuresOf()).toEqual([]);
  });

  it.each(brokenChanges.map(([what, breakIt, ...noticedBy]) => ({ what, breakIt, noticedBy })))(
    'notices that $what',
    async ({ breakIt, noticedBy }) => {
      const failures = await failuresOf(breakIt);
      expect(noticedBy.filter((part) => !failures.some((name) => name.includes(part)))).toEqual([]);
      expect(failures.filter((name) => name.startsWith('stumbled'))).toEqual([]);
    },
  );

  it.each(['add', 'cas', 'touch', 'delete', 'deleteIf', 'take'])('notices that %s is not told of', async (verb) => {
    expect(await failuresOf(undefined, verb)).toContain('tells of every verb that writes, whoever calls it');
  });
});
