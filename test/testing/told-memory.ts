/** A memory backend that tells of changes as a server does, and ways to break that. */

import type { Bus, Values } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import type { FakeClock } from 'hotshelf/testing';

type Changes = NonNullable<Values['changes']>;
type SubscribeOptions = NonNullable<Parameters<Bus['subscribe']>[2]>;

/** What is wrong, how, and parts of the names of the cases that must notice. */
type Breakage = readonly [what: string, breakIt: (changes: Changes) => Changes, ...noticedBy: string[]];

interface Watch {
  readonly prefix: string;
  readonly listener: (keys: readonly string[] | undefined) => void;
  readonly options: SubscribeOptions;
}

const writes = ['set', 'add', 'cas', 'touch', 'delete', 'deleteIf', 'take'] as const;

/** @param untold a verb that is not told of */
export function toldMemory(clock: FakeClock, breakIt = (changes: Changes) => changes, untold?: string) {
  const whole = memory({ clock });
  const watches = new Set<Watch>();
  const state = { cut: false, closed: false };
  const tell = (keys: readonly string[] | undefined) => {
    if (state.cut) return;
    for (const { prefix, listener } of watches) {
      const own = keys?.filter((key) => key.startsWith(prefix));
      if (own === undefined || own.length > 0) listener(own);
    }
  };
  const told = Object.fromEntries(
    writes
      .filter((verb) => verb !== untold)
      .map((verb) => {
        const write = whole.values[verb].bind(whole.values) as (...args: unknown[]) => Promise<unknown>;
        const telling = async (first: string | readonly string[], ...rest: unknown[]) => {
          const answer = await write(first, ...rest);
          if (answer !== undefined) tell([first].flat());
          const ttlMs = Number(rest.at(-1));
          if (ttlMs > 0 && ttlMs < Infinity) clock.after(ttlMs, () => tell([first].flat()));
          return answer;
        };
        return [verb, telling];
      }),
  );
  const changes: Changes = {
    async watch(prefix, listener, options = {}) {
      // Refuses after its end, as the bus of the same backend does.
      await (await whole.bus.subscribe('x', () => {})).close();
      const watch = { prefix, listener, options };
      watches.add(watch);
      const { onGap: _gaps, ...probing } = options;
      const probes = await whole.bus.subscribe('probes', () => {}, probing);
      return {
        async close() {
          watches.delete(watch);
          await probes.close();
        },
      };
    },
  };
  const values = new Proxy(whole.values, {
    get(target, name) {
      const value: unknown = name === 'changes' ? breakIt(changes) : Reflect.get(name in told ? told : target, name);
      return typeof value === 'function' && !(name in told) ? value.bind(target) : value;
    },
  });
  const close = async () => {
    watches.clear();
    await whole.close();
  };
  const outside = {
    async set(key: string, text: string) {
      await whole.values.set(key.replaceAll(/[^!-~]/g, '?'), new TextEncoder().encode(text), Infinity).catch(() => {});
      tell([key]);
    },
    async flush() {
      whole.values.resident?.drop(['']);
      tell(undefined);
    },
    async cut() {
      state.cut = true;
      for (const { options } of watches) options.onGap?.('lost');
      clock.after(10, () => {
        state.cut = false;
        for (const { options } of watches) options.onGap?.('restored');
      });
    },
  };
  return { backend: { ...whole, values, close }, outside };
}

export const brokenChanges: readonly Breakage[] = [
  [
    'the prefix is not looked at',
    (changes) => ({ watch: (_prefix, ...rest) => changes.watch('', ...rest) }),
    'nothing beside the prefix',
  ],
  [
    'a flush is not told',
    (changes) => ({
      watch: (prefix, listener, options) => changes.watch(prefix, (keys) => keys && listener(keys), options),
    }),
    'when the server is flushed',
  ],
  [
    'a closed watch goes on',
    (changes) => ({
      async watch(...args) {
        await changes.watch(...args);
        return { close: async () => {} };
      },
    }),
    'watch that was closed',
  ],
  [
    'gaps are passed over in silence',
    (changes) => ({
      watch: (prefix, listener, { onGap: _gaps, ...options } = {}) => changes.watch(prefix, listener, options),
    }),
    'reports a gap',
  ],
  [
    'a probe is answered before the changes were told',
    (changes) => ({
      watch: (prefix, listener, options) =>
        changes.watch(prefix, (keys) => void setTimeout(() => listener(keys), 5), options),
    }),
    'before a probe is answered',
  ],
  [
    'nothing is told of writes by others',
    () => ({ watch: async () => ({ close: async () => {} }) }),
    'another program',
  ],
];
