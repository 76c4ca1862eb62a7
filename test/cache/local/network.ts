/** Gives the tests a server of messages with several connections, each of which can be broken in its own way. */

import { type FakeClock, fakeClock } from 'hotshelf/testing';
import type { Bus, SubscribeOptions, Subscription } from '../../../src/backend/bus.ts';
import { Announcements } from '../../../src/cache/local/announcements.ts';
import { LocalTier } from '../../../src/cache/local/tier.ts';
import type { Clock } from '../../../src/support/clock.ts';
import { HotshelfError } from '../../../src/support/errors.ts';

/** How long a message, a question or an answer travels, in ms. */
const travelMs = 1;

interface Ear extends SubscribeOptions {
  readonly topic: string;
  readonly listener: (message: string) => void;
}

/** One process's way to the server. */
export class Connection implements Bus {
  readonly ordered = true;
  readonly ears = new Set<Ear>();
  /** Messages and answers to probes get lost; the server does not know. */
  halfOpen = false;
  /** The server has given up the subscriptions, and their owner does not know. */
  givenUp = false;
  publishFails = false;
  subscribeFails = false;
  readonly published: string[] = [];
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  async publish(topic: string, message: string): Promise<number> {
    if (this.publishFails) throw new HotshelfError('BACKEND_DOWN', 'The test wants it so.');
    this.published.push(message);
    await this.#network.travel();
    const count = this.#network.deliver(topic, message);
    await this.#network.travel();
    return count;
  }

  async subscribe(topic: string, listener: (message: string) => void, options: SubscribeOptions = {}) {
    if (this.subscribeFails) throw new HotshelfError('BACKEND_DOWN', 'The test wants it so.');
    await this.#network.travel();
    const ear: Ear = { topic, listener, ...options };
    this.ears.add(ear);
    this.#probeLater(ear);
    const subscription: Subscription = { close: async () => void this.ears.delete(ear) };
    return subscription;
  }

  /** Its owner learns that it is broken. */
  lose(): void {
    this.givenUp = true;
    for (const ear of this.ears) ear.onGap?.('lost');
  }

  restore(): void {
    this.givenUp = false;
    this.halfOpen = false;
    for (const ear of this.ears) ear.onGap?.('restored');
  }

  #probeLater(ear: Ear): void {
    const { clock } = this.#network;
    if (ear.probeEveryMs === undefined) return;
    clock.after(ear.probeEveryMs, () => {
      if (!this.ears.has(ear)) return;
      this.#probeLater(ear);
      void this.#probe(ear);
    });
  }

  async #probe(ear: Ear): Promise<void> {
    const { clock } = this.#network;
    const sentAt = clock.monotonic();
    await this.#network.travel();
    if (this.halfOpen || this.givenUp) return;
    await this.#network.travel();
    ear.onProbe?.(clock.monotonic() - sentAt);
  }
}

export class Network {
  readonly clock: FakeClock = fakeClock();
  readonly #connections: Connection[] = [];

  connect(): Connection {
    const connection = new Connection(this);
    this.#connections.push(connection);
    return connection;
  }

  travel(): Promise<void> {
    return new Promise((resolve) => this.clock.after(travelMs, resolve));
  }

  deliver(topic: string, message: string): number {
    let count = 0;
    for (const connection of this.#connections) {
      const ears = [...connection.ears].filter((ear) => ear.topic === topic);
      if (connection.givenUp || ears.length === 0) continue;
      count += ears.length;
      this.clock.after(travelMs, () => {
        if (connection.halfOpen) return;
        for (const ear of ears) if (connection.ears.has(ear)) ear.listener(message);
      });
    }
    return count;
  }
}

export const maxLagMs = 300;

/** What a process has: a tier that hears the announcements, and what it heard of them. */
export interface Member {
  readonly tier: LocalTier<string>;
  readonly announcements: Announcements;
  readonly connection: Bus;
  readonly heard: string[];
  /** As a read: keeps `value`, which the server had when the read began. */
  readonly keep: (key: string, value: string, tags?: readonly string[]) => boolean;
  readonly serves: (key: string) => string | undefined;
}

export function member<Connected extends Bus>(
  connection: Connected,
  clock: Clock,
  lagMs = maxLagMs,
): Member & { readonly connection: Connected } {
  const bounds = { maxBytes: 1_000_000, maxEntries: 1000, timed: false, tracking: false };
  const tier = new LocalTier<string>({ ...bounds, maxLagMs: lagMs }, clock);
  const announcements = new Announcements({ bus: connection, clock, prefix: 'hs', maxLagMs: lagMs });
  const heard: string[] = [];
  announcements.listen({
    onDrop: (drop) => {
      heard.push(JSON.stringify(drop));
      tier.drop(drop);
    },
    onGap: (state) => {
      heard.push(state);
      tier.distrust();
    },
    onProbe: (sentAgoMs) => tier.trust(sentAgoMs),
    onProblem: () => heard.push('problem'),
  });
  return {
    tier,
    announcements,
    connection,
    heard,
    keep: (key, value, tags = []) =>
      tier.put(key, value, { expiresInMs: 60_000, tags, weightBytes: value.length }, tier.ticket()),
    serves: (key) => tier.peek(key)?.content,
  };
}

/** Lets time pass until `work` is done, and returns how long that took, in ms. */
export async function timeOf(clock: FakeClock, work: Promise<unknown>): Promise<number> {
  const startedAt = clock.monotonic();
  let done = false;
  const settle = () => void (done = true);
  work.then(settle, settle);
  for (let ms = 0; !done; ms = 1) await clock.advance(ms);
  await work;
  return clock.monotonic() - startedAt;
}
