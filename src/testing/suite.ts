/** What the conformance suites have in common: cases for any test runner, fresh keys, and waiting without hoping. */

import assert from 'node:assert/strict';
import type { BackendWith, FacetName } from '../backend/backend.ts';
import { sleep, systemClock } from '../support/clock.ts';
import type { ErrorCode } from '../support/errors.ts';

/** One behaviour that every adapter must show; `run` rejects with an `AssertionError` if it does not. */
export interface ConformanceCase {
  /** The behaviour in a sentence. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

export interface SuiteOptions<Name extends FacetName> {
  /** Makes a new backend, connected and ready; called once a case. What the server already holds does not matter. */
  create(): Promise<Fixture<Name>>;
  /** Lets the time of the backend pass, where a test can do that. @default real time passes */
  readonly advance?: (ms: number) => Promise<void>;
  /** The shortest lifetime that the server can tell from a longer one, in ms. @default 1 */
  readonly ttlGranularityMs?: number;
}

export interface Fixture<Name extends FacetName> {
  readonly backend: BackendWith<Name>;
  /** A second backend on the same server, as another process would have. @default `backend` */
  readonly peer?: BackendWith<Name>;
  /** Puts away what `create` made; `backend` may have been closed by then. */
  close(): Promise<void>;
}

/** What a case has in its hands. */
export interface Trial<Name extends FacetName> {
  readonly backend: BackendWith<Name>;
  readonly peer: BackendWith<Name>;
  /** A lifetime that is short, but not too short for the server. */
  readonly shortMs: number;
  readonly granularityMs: number;
  /** Returns a key that nobody used before. */
  readonly key: () => string;
  /** Ms since the case began, in the time of the backend. */
  elapsed(): number;
  wait(ms: number): Promise<void>;
}

export type Define<Name extends FacetName> = (name: string, body: (trial: Trial<Name>) => Promise<void>) => void;

/** Collects the cases that `define` writes down. */
export function suite<Name extends FacetName>(
  options: SuiteOptions<Name>,
  define: (it: Define<Name>) => void,
): readonly ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  define((name, body) => {
    cases.push({
      name,
      run: async () => {
        const fixture = await options.create();
        try {
          await body(trialOf(fixture, options));
        } finally {
          await fixture.close();
        }
      },
    });
  });
  return cases;
}

function trialOf<Name extends FacetName>(fixture: Fixture<Name>, options: SuiteOptions<Name>): Trial<Name> {
  const { advance, ttlGranularityMs: granularityMs = 1 } = options;
  const prefix = `suite:${Math.floor(systemClock.random() * 2 ** 48).toString(36)}`;
  const startedAt = systemClock.monotonic();
  let keys = 0;
  let advanced = 0;
  return {
    backend: fixture.backend,
    peer: fixture.peer ?? fixture.backend,
    shortMs: Math.max(80, granularityMs),
    granularityMs,
    key: () => `${prefix}:${(keys += 1)}`,
    elapsed: () => (advance === undefined ? systemClock.monotonic() - startedAt : advanced),
    wait: async (ms) => {
      advanced += ms;
      await (advance === undefined ? sleep(systemClock, ms) : advance(ms));
    },
  };
}

/** How late a value may go, by the contract, and how exact the clocks of two machines' timers are. */
const lateMs = 2000;
const slackMs = 3;
/** What a slow machine may add to the time between two looks. */
const patienceMs = 3000;

/**
 * Looks again and again until `isThere` says no: not before `ttlMs` have passed since `storedAfter`, and not much later
 * than the contract allows.
 *
 * @param storedAfter the time just before the value was stored, so that a slow machine cannot make it look early
 */
export async function expectExpiry<Name extends FacetName>(
  trial: Trial<Name>,
  storedAfter: number,
  ttlMs: number,
  isThere: () => Promise<boolean>,
): Promise<void> {
  const latest = trial.elapsed() + ttlMs + lateMs;
  for (;;) {
    const askedAt = trial.elapsed();
    if (!(await isThere())) break;
    assert.ok(
      askedAt <= latest,
      `still there ${Math.round(askedAt - storedAfter)} ms after it was stored for ${ttlMs} ms`,
    );
    await trial.wait(askedAt - storedAfter < ttlMs - 20 ? Math.max(5, ttlMs / 20) : 1);
  }
  const lived = trial.elapsed() - storedAfter;
  assert.ok(lived >= ttlMs - slackMs, `gone after ${Math.round(lived)} ms although it was stored for ${ttlMs} ms`);
}

/** Waits until `happened`, and fails with `what` if that takes too long. */
export async function expectSoon<Name extends FacetName>(
  trial: Trial<Name>,
  what: string,
  happened: () => boolean,
): Promise<void> {
  for (const end = trial.elapsed() + patienceMs; !happened();) {
    assert.ok(trial.elapsed() < end, `did not happen: ${what}`);
    await trial.wait(2);
  }
}

/** Fails unless `promise` rejects with the error `code`, or with any `HotshelfError` when no code is given. */
export async function expectError(promise: Promise<unknown>, code?: ErrorCode): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const found = error instanceof Error && error.name === 'HotshelfError' && 'code' in error ? error.code : error;
  if (code === undefined) assert.equal(typeof found, 'string', 'expected a HotshelfError');
  else assert.equal(found, code);
}
