/** Says how a call ended and how long it took, for tests in which calls are meant to fail. */

export interface Outcome<Value> {
  /** The code of the error, or `undefined` if there was none. */
  readonly code: unknown;
  readonly value: Value | undefined;
  readonly tookMs: number;
}

export async function outcomeOf<Value>(promise: Promise<Value>): Promise<Outcome<Value>> {
  const startedAt = performance.now();
  try {
    const value = await promise;
    return { code: undefined, value, tookMs: performance.now() - startedAt };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    return { code, value: undefined, tookMs: performance.now() - startedAt };
  }
}
