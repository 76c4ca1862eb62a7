/** Measures several ways of doing one thing side by side: interleaved rounds, medians, CPU of this process first. */

export interface Contender {
  readonly name: string;
  /** Does the thing `count` times. */
  run(count: number): Promise<void>;
}

export interface Result {
  readonly name: string;
  /** CPU time of this process for each operation, in ns: user and system, all threads. */
  readonly cpuNs: number;
  readonly wallNs: number;
  /** CPU beside the floor's of the same round, median over the rounds. */
  readonly ratio: number;
}

/** The first contender is the floor. Rounds take turns, so that a noisy moment hits everybody. */
export async function compare(contenders: readonly Contender[], count: number, rounds = 9): Promise<Result[]> {
  const cpu = contenders.map((): number[] => []);
  const wall = contenders.map((): number[] => []);
  for (let round = -2; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      globalThis.gc?.();
      const wallStart = process.hrtime.bigint();
      const cpuStart = process.cpuUsage();
      await contender.run(count);
      const { user, system } = process.cpuUsage(cpuStart);
      const elapsed = Number(process.hrtime.bigint() - wallStart);
      // Two rounds warm the compiler up and do not count.
      if (round < 0) continue;
      cpu[index]?.push(((user + system) * 1000) / count);
      wall[index]?.push(elapsed / count);
    }
  }
  const floor = cpu[0] ?? [];
  return contenders.map(({ name }, index) => {
    const own = cpu[index] ?? [];
    return {
      name,
      cpuNs: median(own),
      wallNs: median(wall[index] ?? []),
      ratio: median(own.map((ns, round) => ns / (floor[round] ?? Number.NaN))),
    };
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Writes results as a Markdown table; times in `unit`. */
export function table(results: readonly Result[], unit: 'ns' | 'µs'): string {
  const scale = unit === 'ns' ? 1 : 1000;
  const show = (ns: number) => (ns / scale).toFixed(unit === 'ns' ? 0 : 1);
  const rows = results.map(
    ({ name, cpuNs, wallNs, ratio }) => `| ${name} | ${show(cpuNs)} | ${show(wallNs)} | ${ratio.toFixed(2)} |`,
  );
  return [`| | CPU ${unit}/op | wall ${unit}/op | CPU ratio |`, '| --- | ---: | ---: | ---: |', ...rows].join('\n');
}
