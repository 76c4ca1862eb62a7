/** P1: once an invalidation resolved, no later read anywhere returns what was loaded before it. */
import { describe, expect, it } from 'vitest';
import { type BackendName, hireCrew } from './fleet.ts';
import { catchAny, playAtRandom, report, reportPlay, seed, stuckTrials } from './plays.ts';

const backends: readonly BackendName[] = ['memory', 'redis', 'memcached'];
const subjects = [
  { what: 'keys', subject: 'hotshelf', control: 'naive', readsEach: 300 },
  { what: 'tags', subject: 'tags', control: 'naive tags', readsEach: 200 },
] as const;
const crew = hireCrew();
const patience = { timeout: 360_000 };

describe.each(backends)('on %s', (backend) => {
  describe.each(subjects)('by $what', ({ subject, control, readsEach }) => {
    it(`gives no stale read in ${readsEach * 18} random ones (seed ${seed})`, patience, async () => {
      const outcome = await playAtRandom(crew(), backend, subject, readsEach);
      reportPlay(`${backend}, ${subject}`, outcome);
      const { history, stale, loads } = outcome;
      expect(stale).toEqual([]);
      expect(history.reads.length).toBe(readsEach * 18);
      // Without hits, and without writes between them, nothing would have been shown.
      expect(history.writes.length).toBeGreaterThan(100);
      expect(loads).toBeLessThan(history.reads.length * 0.9);
    });

    it('leaves no old row behind in 100 trials of a write against a load in flight', patience, async () => {
      expect(await stuckTrials(crew(), backend, subject, 100)).toBe(0);
    });

    it('catches the naive cache in both (control)', patience, async () => {
      const stale = await catchAny(async () => {
        const outcome = await playAtRandom(crew(), backend, control, 150);
        reportPlay(`${backend}, ${control}`, outcome);
        return outcome.stale.length;
      });
      const stuck = await catchAny(() => stuckTrials(crew(), backend, control, 30));
      report(`${backend}, ${control}, in flight`, 30, 30, stuck, 'stuck');
      expect(stale).toBeGreaterThan(0);
      expect(stuck).toBeGreaterThan(0);
    });
  });
});
