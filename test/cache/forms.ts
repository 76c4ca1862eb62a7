/** Gives the tests a cache on both forms of a backend, a way to interfere with single commands, and gates to stop at. */

import {
  createCache,
  HotshelfError,
  type BackendEvent,
  type BackendWith,
  type Cache,
  type CacheEvent,
  type CacheOptions,
  type ErrorCode,
  type Values,
} from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { fakeClock, type FakeClock } from 'hotshelf/testing';

/** A backend in this process has `resident`; one over a network has not, and then epochs and the remote path are used. */
export const forms = ['in memory', 'over a network'] as const;
export type Form = (typeof forms)[number];

export interface Wire {
  /** Every command that was sent: verb and keys. */
  readonly sent: string[];
  /** Called before a command is carried out; a command waits for it, and fails as it does. */
  before: (verb: string, keys: readonly string[]) => Promise<void> | void;
  /** Called after a command was carried out; its answer waits for it, and is lost if it fails. */
  after: (verb: string, keys: readonly string[]) => Promise<void> | void;
  /** Carries a command out, by `before` and `after`; a test may put its own network here. */
  carry: <Answer>(command: () => Promise<Answer>, verb: string, keys: readonly string[]) => Promise<Answer>;
  /** Tells those who watch the backend. */
  readonly tell: (event: BackendEvent) => void;
  readonly watchers: number;
}

export interface Shelves {
  readonly clock: FakeClock;
  readonly backend: BackendWith<'values'>;
  readonly wire: Wire;
  /** Makes another cache over the same backend, as another process has. Lifetimes are exact: there is no jitter. */
  readonly open: (options?: Partial<CacheOptions>) => Cache;
  readonly cache: Cache;
}

/** Returns a cache over an empty backend. `wire` counts only over a network. */
export function shelves(form: Form = 'over a network'): Shelves {
  const clock = fakeClock();
  const inner = memory({ clock });
  const watchers = new Set<(event: BackendEvent) => void>();
  const wire: Wire = {
    sent: [],
    before: () => {},
    after: () => {},
    carry: async (command, verb, keys) => {
      await wire.before(verb, keys);
      const answer = await command();
      await wire.after(verb, keys);
      return answer;
    },
    tell: (event) => watchers.forEach((watcher) => watcher(event)),
    get watchers() {
      return watchers.size;
    },
  };
  const backend =
    form === 'in memory'
      ? inner
      : {
          ...inner,
          values: overWire(inner.values, wire),
          watch: (watcher: (event: BackendEvent) => void) => {
            watchers.add(watcher);
            return () => void watchers.delete(watcher);
          },
        };
  const open = (options?: Partial<CacheOptions>) => createCache({ backend, clock, jitter: 0, ...options });
  return { clock, backend, wire, open, cache: open() };
}

function overWire(values: Values, wire: Wire): Values {
  const send = <Answer>(verb: string, keys: readonly string[], command: () => Promise<Answer>) => {
    wire.sent.push([verb, ...keys].join(' '));
    return wire.carry(command, verb, keys);
  };
  return {
    maxValueBytes: values.maxValueBytes,
    get: (key) => send('get', [key], () => values.get(key)),
    getMany: (keys) => send('get', keys, () => values.getMany(keys)),
    take: (key) => send('take', [key], () => values.take(key)),
    set: (key, bytes, ttlMs) => send('set', [key], () => values.set(key, bytes, ttlMs)),
    add: (key, bytes, ttlMs) => send('add', [key], () => values.add(key, bytes, ttlMs)),
    cas: (key, version, bytes, ttlMs) => send('cas', [key], () => values.cas(key, version, bytes, ttlMs)),
    touch: (key, ttlMs) => send('touch', [key], () => values.touch(key, ttlMs)),
    delete: (keys) => send('delete', keys, () => values.delete(keys)),
    deleteIf: (key, version) => send('deleteIf', [key], () => values.deleteIf(key, version)),
  };
}

/** Throws as a backend does that cannot be reached, for commands that `concerns` names. */
export function failing(code: ErrorCode, concerns: (verb: string, keys: readonly string[]) => boolean = () => true) {
  return (verb: string, keys: readonly string[]): void => {
    if (concerns(verb, keys)) throw new HotshelfError(code, 'The test wants it so.');
  };
}

/** Something to wait at until the test lets it pass. */
export interface Gate<Value> {
  readonly passed: Promise<Value>;
  readonly open: (value: Value) => void;
  readonly fail: (error: unknown) => void;
}

export function gate<Value = void>(): Gate<Value> {
  let open: (value: Value) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const passed = new Promise<Value>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open, fail };
}

/** Returns the list that every event of `cache` is written to, as its type and what matters most of it. */
export function record(cache: Cache): string[] {
  const events: string[] = [];
  cache.on((event) => events.push(note(event)));
  return events;
}

function note(event: CacheEvent): string {
  switch (event.type) {
    case 'bypass':
    case 'unusable':
      return `${event.type} ${event.reason}`;
    case 'uncacheable':
    case 'failed':
    case 'unconfirmed':
      return `${event.type} ${event.error.code}`;
    case 'load':
      return event.failed ? 'load failed' : 'load';
    default:
      return event.type;
  }
}

/** Returns a loader that counts its calls, and the count. */
export function counting<Value>(value: Value) {
  const loader = Object.assign(
    () => {
      loader.calls += 1;
      return value;
    },
    { calls: 0 },
  );
  return loader;
}

/** Fails the test when it is called. */
export function never(): never {
  throw new Error('this must not be called');
}

/** Returns the code of the error that `work` rejects with, or `'none'`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error instanceof HotshelfError ? error.code : String(error);
  }
}

/** Lets time pass until `work` is done. */
export async function inTime<Result>(clock: FakeClock, work: Promise<Result>): Promise<Result> {
  for (let ms = 0; !(await isSettled(work)); ms = 10) await clock.advance(ms);
  return work;
}

/** Tells whether `promise` is settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => void (settled = true);
  promise.then(settle, settle);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}
