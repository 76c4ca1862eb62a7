/** Shows in fake time how often a connection is asked, and when silence is one. */

import { fakeClock } from 'hotshelf/testing';
import { expect, it } from 'vitest';
import { Heartbeat } from '../../../adapters/redis/heartbeat.ts';
import { deferred, type Deferred } from '../../kit/wait.ts';

function started(everyMs = 1000, answersItself = true) {
  const clock = fakeClock();
  const asked: { readonly at: number; readonly answer: Deferred<void> }[] = [];
  const silences: string[] = [];
  const interval = { ms: everyMs };
  const heartbeat = new Heartbeat({
    clock,
    everyMs: () => interval.ms,
    ask() {
      const answer = deferred();
      asked.push({ at: clock.monotonic(), answer });
      if (answersItself) answer.resolve();
      return answer.promise;
    },
    onSilence: (problem) => silences.push(problem),
  });
  heartbeat.beat();
  const times = () => asked.map(({ at }) => at);
  return { clock, asked, silences, interval, heartbeat, times };
}

it('asks at once, and then once in an interval from question to question', async () => {
  const { clock, times, asked } = started(100, false);
  await clock.advance(30);
  asked[0]?.answer.resolve();
  await clock.advance(70);
  expect(times()).toEqual([0, 100]);
});

it('asks out of turn when told to, once for all who want it, and never twice at a time', async () => {
  const { clock, times, asked, heartbeat } = started(1000, false);
  heartbeat.beat();
  heartbeat.beat();
  await clock.advance(20);
  expect(times()).toEqual([0]);
  asked[0]?.answer.resolve();
  await clock.advance(0);
  expect(times()).toEqual([0, 20]);
  asked[1]?.answer.resolve();
  await clock.advance(999);
  expect(times()).toEqual([0, 20]);
  await clock.advance(1);
  expect(times()).toEqual([0, 20, 1020]);
});

it('follows an interval that changes from the next question on', async () => {
  const { clock, times, interval, heartbeat } = started(1000);
  await clock.advance(500);
  interval.ms = 50;
  heartbeat.beat();
  await clock.advance(100);
  expect(times()).toEqual([0, 500, 550, 600]);
});

it.each([
  { everyMs: 1000, withinMs: 400 },
  { everyMs: 150, withinMs: 300 },
  { everyMs: 10, withinMs: 100 },
])('calls it silence after $withinMs ms when it asks every $everyMs ms', async ({ everyMs, withinMs }) => {
  const { clock, silences, times } = started(everyMs, false);
  await clock.advance(withinMs - 1);
  expect(silences).toEqual([]);
  await clock.advance(1);
  expect(silences).toEqual([`no answer within ${withinMs} ms`]);
  await clock.advance(10_000);
  expect(times()).toEqual([0]);
  expect(silences).toHaveLength(1);
});

it('calls it silence at once when the question fails, and says nothing after its end', async () => {
  const failing = started(1000, false);
  failing.asked[0]?.answer.reject(new Error('gone'));
  await failing.clock.advance(0);
  expect(failing.silences).toHaveLength(1);
  const stopped = started(1000, false);
  stopped.heartbeat.stop();
  await stopped.clock.advance(5000);
  stopped.asked[0]?.answer.resolve();
  await stopped.clock.advance(5000);
  expect(stopped.silences).toEqual([]);
  expect(stopped.times()).toEqual([0]);
  expect(stopped.clock.timers).toBe(0);
});
