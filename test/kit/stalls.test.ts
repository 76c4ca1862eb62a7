/** Shows that a process knows when it stood still. */
import { expect, it } from 'vitest';
import { stalledMs, watchStalls } from './stalls.ts';
import { sleep, until } from './wait.ts';

it('notices that the process stood still, and from when to when', async () => {
  const now = () => performance.now();
  const watch = watchStalls(now);
  await sleep(30);
  const from = now();
  while (now() < from + 200);
  const to = now();
  await until(() => watch.stalls.some(([, resumed]) => resumed >= to), { what: 'the stall to be noticed' });
  watch.stop();
  expect(stalledMs(watch.stalls, from, to)).toBeGreaterThan(150);
});

it('counts what several stalls of one span have in common once', () => {
  const stalls = [
    [50, 70],
    [10, 30],
    [20, 40],
    [90, 200],
  ] as const;
  expect(stalledMs(stalls, 0, 100)).toBe(30 + 20 + 10);
  expect(stalledMs(stalls, 15, 55)).toBe(25 + 5);
  expect(stalledMs(stalls, 40, 50)).toBe(0);
  expect(stalledMs([], 0, 100)).toBe(0);
});
