/** Waits for something to become true, with a deadline and an error that says what was awaited. */

// Taken once, so that a test with fake timers can still wait for a real server.
const startTimer = globalThis.setTimeout;
const stopTimer = globalThis.clearTimeout;
const now = performance.now.bind(performance);

export interface UntilOptions {
  /** What is awaited, as it should stand in the error: `timed out after 5000 ms waiting for …`. */
  readonly what: string;
  /** Deadline in ms. @default 30_000 */
  readonly within?: number;
  /** Pause between two looks in ms. @default 10 */
  readonly every?: number;
}

/** Resolves after `ms` of real time, also while a test uses fake timers. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    startTimer(resolve, ms);
  });
}

/**
 * Polls `condition` until it returns something truthy, and resolves with that.
 *
 * A condition that throws counts as "not yet"; its last error is the `cause` of the timeout. A condition that never
 * settles does not hold up the deadline.
 *
 * @example
 * await until(async () => (await redis.cli('DBSIZE')) === 3, { what: 'three keys' });
 */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  { what, within = 30_000, every = 10 }: UntilOptions,
): Promise<Exclude<Awaited<Value>, false | null | undefined | 0 | ''>> {
  const deadline = now() + within;
  let cause: unknown;
  const late = (): Error => {
    const because = cause instanceof Error ? `: ${cause.message}` : '';
    return new Error(`Timed out after ${within} ms waiting for ${what}${because}`, { cause });
  };
  const look = async (): Promise<Awaited<Value> | undefined> => {
    try {
      return await condition();
    } catch (error) {
      cause = error;
      return undefined;
    }
  };
  for (;;) {
    const value = await withDeadline(look(), deadline - now(), late);
    if (value) return value as Exclude<Awaited<Value>, false | null | undefined | 0 | ''>;
    if (now() + every > deadline) throw late();
    await sleep(every);
  }
}

/** Resolves like `promise`, but rejects with `late()` when that takes longer than `ms`. */
export async function withDeadline<Value>(promise: Promise<Value>, ms: number, late: () => Error): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = startTimer(() => reject(late()), Math.max(0, ms));
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    stopTimer(timer);
  }
}

export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(reason: unknown): void;
}

/** A promise with its two ends in hand, for a test that decides itself when something finishes. */
export function deferred<Value = void>(): Deferred<Value> {
  let resolve!: (value: Value) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
