/** Measures several ways of doing one thing side by side: interleaved rounds, medians, CPU of this process first. */

export interface Contender {
  readonly name: string;
  /** Does the thing `count` times. */
  run(count: number): Promise<void>;
  /** Called before each round, unmeasured. */
  before?(): Promise<void>;
  /** Called after each round, unmeasured; says what the round did other than its name promises. */
  wrong?(count: number): string | undefined;
}

export interface Result {
  readonly name: string;
  /** CPU time of this process for each operation, in ns: user and system, all threads. */
  readonly cpuNs: number;
  readonly wallNs: number;
  /** CPU beside the floor's of the same round, median over the rounds. */
  readonly ratio: number;
}

/** How much work a benchmark takes on. */
export interface Effort {
  readonly rounds: number;
  /** The share of the operations that a benchmark asks for. */
  readonly share: number;
}

export const full: Effort = { rounds: 9, share: 1 };
/** To see that a benchmark runs; what it says then is worth nothing. */
export const quick: Effort = { rounds: 1, share: 0.2 };

/** The first contender is the floor. Rounds take turns, so that a noisy moment hits everybody. */
export async function compare(
  contenders: readonly Contender[],
  operations: number,
  { rounds, share }: Effort,
): Promise<Result[]> {
  const count = Math.ceil(operations * share);
  const cpu = contenders.map((): number[] => []);
  const wall = contenders.map((): number[] => []);
  for (let round = -2; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const { cpuNs, wallNs } = await measure(contender, count);
      // Two rounds warm the compiler up and do not count.
      if (round < 0) continue;
      cpu[index]?.push(cpuNs);
      wall[index]?.push(wallNs);
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

/** A machine that pauses this process can spoil a round: it is then measured again, so many times at most. */
const mostAttempts = 20;

/** Returns what one operation took. */
async function measure(contender: Contender, count: number): Promise<{ cpuNs: number; wallNs: number }> {
  let wrong: string | undefined;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    await contender.before?.();
    globalThis.gc?.();
    const wallStart = process.hrtime.bigint();
    const cpuStart = process.cpuUsage();
    await contender.run(count);
    const { user, system } = process.cpuUsage(cpuStart);
    const elapsed = Number(process.hrtime.bigint() - wallStart);
    wrong = contender.wrong?.(count);
    if (wrong === undefined) return { cpuNs: ((user + system) * 1000) / count, wallNs: elapsed / count };
  }
  throw new Error(`${contender.name}: ${wrong ?? ''}`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Writes results as a Markdown table; times in `unit`. */
export function table(results: readonly Result[], unit: 'ns' | 'µs'): string {
  const scale = unit === 'ns' ? 1 : 1000;
  const show = (ns: number) => (ns / scale).toFixed(unit === 'ns' ? 0 : 1);
  const rows = results.map(({ name, cpuNs, wallNs, ratio }) => [name, show(cpuNs), show(wallNs), ratio.toFixed(2)]);
  return grid(['', `CPU ${unit}/op`, `wall ${unit}/op`, 'CPU ratio'], rows);
}

/** Writes a Markdown table whose first column names and whose others hold numbers. */
export function grid(
  [first = '', ...others]: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`);
  return [`| ${[first, ...others].join(' | ')} |`, `| --- |${' ---: |'.repeat(others.length)}`, ...lines].join('\n');
}
