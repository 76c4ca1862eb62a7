/** Ways to break the counters and the bus facet, and the cases that must notice each. */

import type { Bus, Counters } from 'hotshelf';
import type { Breakage } from './broken-values.ts';

export const brokenCounters: readonly Breakage<Counters>[] = [
  [
    'each addition extends the lifetime',
    (counters) => {
      const rounds = new Map<string, number>();
      const current = (key: string) => `${key}.${rounds.get(key) ?? 0}`;
      return {
        async add(key, by, ttlMs) {
          const [count = 0] = await counters.read([current(key)]);
          rounds.set(key, (rounds.get(key) ?? 0) + 1);
          return counters.add(current(key), count + by, ttlMs);
        },
        read: (keys) => counters.read(keys.map(current)),
      };
    },
    'starts the lifetime',
    'applies each of 200',
  ],
  [
    'nothing expires',
    (counters) => ({ add: (key, by) => counters.add(key, by, Infinity) }),
    'starts the lifetime',
    'reads 0',
  ],
  ['everything expires early', (counters) => ({ add: (key, by, ttl) => counters.add(key, by, ttl * 0.9) }), 'reads 0'],
  [
    'sums go below 0',
    (counters) => ({
      add: async (key, by, ttlMs) => (await counters.add(key, by + 100, ttlMs)) - 100,
    }),
    'below 0',
  ],
  [
    'sums are rounded to 32 bits',
    (counters) => ({ add: async (key, by, ttlMs) => (await counters.add(key, by, ttlMs)) | 0 }),
    'exact up to',
  ],
  [
    'an addition is sent twice now and then',
    (counters) => ({
      async add(key, by, ttlMs) {
        const sum = await counters.add(key, by, ttlMs);
        return sum === 77 ? counters.add(key, by, ttlMs) : sum;
      },
    }),
    'applies each of 200',
  ],
  ['read sorts its keys', (counters) => ({ read: (keys) => counters.read(keys.toSorted()) }), 'order of the keys'],
  [
    'fractions are rounded',
    (counters) => ({ add: (key, by, ttlMs) => counters.add(key, Math.round(by) || 0, ttlMs) }),
    'what is not whole',
  ],
  ['a closed backend answers', () => ({ read: async (keys) => keys.map(() => 0) }), 'CLOSED after close'],
];

export const brokenBus: readonly Breakage<Bus>[] = [
  [
    'topics are one',
    (bus) => ({
      publish: (_topic, message) => bus.publish('all', message),
      subscribe: (_topic, listener) => bus.subscribe('all', listener),
    }),
    'keeps topics apart',
  ],
  [
    'messages are lost now and then',
    (bus) => ({ publish: async (topic, message) => (message === '123' ? 1 : bus.publish(topic, message)) }),
    'keeps the order',
  ],
  [
    'messages overtake each other',
    (bus) => ({
      publish: async (topic, message) => {
        if (message.endsWith('5')) await Promise.resolve();
        return bus.publish(topic, message);
      },
    }),
    'keeps the order',
  ],
  [
    'subscribe resolves before it hears',
    (bus) => ({
      async subscribe(topic, listener) {
        setTimeout(() => void bus.subscribe(topic, listener).catch(() => {}), 20);
        return { close: async () => {} };
      },
    }),
    'once subscribe has resolved',
  ],
  [
    'a closed subscription goes on',
    (bus) => ({
      async subscribe(topic, listener) {
        await bus.subscribe(topic, listener);
        return { close: async () => {} };
      },
    }),
    'subscription that was closed',
    'subscribed anew',
  ],
  [
    'listeners are called within publish',
    () => {
      const listeners: ((message: string) => void)[] = [];
      return {
        publish: async (_topic, message) => listeners.map((listener) => listener(message)).length,
        subscribe: async (_topic, listener) => (listeners.push(listener), { close: async () => {} }),
      };
    },
    'within publish',
  ],
  [
    'a gap is reported for nothing',
    (bus) => ({
      async subscribe(topic, listener, options) {
        options?.onGap?.('restored');
        return bus.subscribe(topic, listener, options);
      },
    }),
    'no gap while nothing is lost',
  ],
  [
    'messages pass through Latin-1',
    (bus) => ({ publish: (topic, message) => bus.publish(topic, Buffer.from(message, 'latin1').toString('latin1')) }),
    'Unicode and large',
  ],
  ['one more is counted', (bus) => ({ publish: async (...args) => (await bus.publish(...args)) + 1 }), 'the number of'],
  [
    'who listens twice is counted once',
    (bus) => ({ publish: async (...args) => Math.min(2, await bus.publish(...args)) }),
    'the number of',
  ],
  [
    'a probe is answered before the messages were delivered',
    (bus) => ({
      subscribe: (topic, listener, options) =>
        bus.subscribe(topic, (message) => setTimeout(() => listener(message), 5), options),
    }),
    'before a probe is answered',
  ],
  [
    'probes are younger than they can be',
    (bus) => ({
      subscribe: (topic, listener, { onProbe, ...options } = {}) =>
        bus.subscribe(topic, listener, { ...options, ...(onProbe && { onProbe: (age) => onProbe(age - 50) }) }),
    }),
    'probes at once',
  ],
  [
    'there is no first probe',
    (bus) => ({
      subscribe: (topic, listener, { onProbe, ...options } = {}) => {
        let first = true;
        const later = (age: number) => (first ? (first = false) : onProbe?.(age));
        return bus.subscribe(topic, listener, { ...options, ...(onProbe && { onProbe: later }) });
      },
    }),
    'probes at once',
  ],
  [
    'probes are as rare as ever',
    (bus) => ({
      subscribe: (topic, listener, options) => bus.subscribe(topic, listener, { ...options, probeEveryMs: 1000 }),
    }),
    'as often as it was asked to',
  ],
  [
    'a closed subscription is probed on',
    (bus) => ({
      async subscribe(topic, listener, options) {
        let open = true;
        await bus.subscribe(topic, (message) => open && listener(message), options);
        return { close: async () => void (open = false) };
      },
    }),
    'probes no more',
  ],
];
