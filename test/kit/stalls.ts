/** Notes when a process itself could not run: what the machine did is not what the code under test did. */
import { sleep } from './wait.ts';

/** When it stood still: from, to. */
export type Stall = readonly [from: number, to: number];

export interface StallWatch {
  /** Those of until now. */
  readonly stalls: readonly Stall[];
  stop(): void;
}

const everyMs = 10;
/** A timer that is later than this tells of a stall, in ms. */
const lateMs = 15;

/** @param now the clock that the instants are told by, in ms */
export function watchStalls(now: () => number): StallWatch {
  const stalls: Stall[] = [];
  let watching = true;
  const watch = async (): Promise<void> => {
    while (watching) {
      const before = now();
      await sleep(everyMs);
      if (now() - before > everyMs + lateMs) stalls.push([before + everyMs, now()]);
    }
  };
  void watch();
  return { stalls, stop: () => (watching = false) };
}

/** For how many ms of this span at least one of the processes stood still. */
export function stalledMs(stalls: readonly Stall[], from: number, to: number): number {
  let total = 0;
  let end = from;
  for (const [stalled, resumed] of stalls.toSorted(([one], [other]) => one - other)) {
    const begin = Math.max(end, stalled);
    end = Math.max(end, Math.min(resumed, to));
    total += Math.max(0, end - begin);
  }
  return total;
}
