/** The bus facet on Redis: classic publish and subscribe, with every possible loss reported as a gap. */

import type { Bus, SubscribeOptions, Subscription } from '../../src/backend/bus.ts';
import type { Clock } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { afterAwake } from '../../src/support/awake.ts';
import type { Connection } from './client.ts';
import { commandError } from './errors.ts';
import type { Nodes } from './nodes.ts';
import { Subscriber } from './subscriber.ts';

/** How long `subscribe` waits for the server, in ms; a connection may have to be made first. */
const confirmWithinMs = 1000;

interface Ear {
  readonly listener: (message: string) => void;
  readonly onGap: ((state: 'lost' | 'restored') => void) | undefined;
  /** From the confirmation on: what is lost before it was never promised. */
  promised: boolean;
  /** True between `lost` and `restored`. */
  deaf: boolean;
}

interface Topic {
  readonly name: string;
  readonly ears: Set<Ear>;
  confirmed: boolean;
  readonly waiting: Set<{ resolve(): void; reject(error: HotshelfError): void }>;
}

export class RedisBus implements Bus {
  readonly ordered = false;
  readonly #nodes: Nodes;
  readonly #clock: Clock;
  readonly #topics = new Map<string, Topic>();
  readonly #subscriber: Subscriber;
  #closed = false;

  constructor(nodes: Nodes, clock: Clock) {
    this.#nodes = nodes;
    this.#clock = clock;
    this.#subscriber = new Subscriber({
      clock,
      open: (attempt, overrides) => nodes.connection(attempt, overrides),
      isMember: (client) => nodes.isMember(client),
      onReady: (client) => this.#resubscribe(client),
      onLost: () => this.#lost(),
      onMessage: (topic, message) => this.#deliver(topic, message),
    });
  }

  async publish(topic: string, message: string): Promise<number> {
    return Number(await this.#nodes.runAnywhere(topic, 'publish', [topic, message]));
  }

  async subscribe(
    name: string,
    listener: (message: string) => void,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    if (this.#closed) throw closed();
    const ear: Ear = { listener, onGap: options.onGap, promised: false, deaf: false };
    const topic = this.#topics.get(name) ?? { name, ears: new Set(), confirmed: false, waiting: new Set() };
    const isNew = topic.ears.size === 0;
    topic.ears.add(ear);
    this.#topics.set(name, topic);
    const { client } = this.#subscriber;
    if (client === undefined) this.#subscriber.start();
    else if (isNew) this.#listenTo(topic, client);
    try {
      if (!topic.confirmed) await this.#confirmation(topic);
    } catch (error) {
      this.#drop(topic, ear);
      throw error;
    }
    ear.promised = true;
    return { close: async () => this.#drop(topic, ear) };
  }

  close(): void {
    this.#closed = true;
    this.#subscriber.close();
    const topics = [...this.#topics.values()];
    this.#topics.clear();
    for (const topic of topics) {
      topic.ears.clear();
      for (const one of topic.waiting) one.reject(closed());
    }
  }

  #confirmation(topic: Topic): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = () => {
        timer.cancel();
        topic.waiting.delete(one);
      };
      const one = {
        resolve: () => {
          over();
          resolve();
        },
        reject: (error: HotshelfError) => {
          over();
          reject(error);
        },
      };
      const timer = afterAwake(this.#clock, confirmWithinMs, () => {
        const { problem } = this.#subscriber;
        one.reject(new HotshelfError('BACKEND_DOWN', `The topic could not be subscribed to: ${problem}.`));
      });
      topic.waiting.add(one);
    });
  }

  #resubscribe(client: Connection): void {
    for (const topic of this.#topics.values()) this.#listenTo(topic, client);
  }

  #listenTo(topic: Topic, client: Connection): void {
    const isCurrent = () => this.#subscriber.client === client && this.#topics.get(topic.name) === topic;
    client.subscribe(topic.name).then(
      () => {
        if (!isCurrent()) return;
        topic.confirmed = true;
        for (const one of topic.waiting) one.resolve();
        for (const ear of topic.ears) {
          if (!ear.deaf) continue;
          ear.deaf = false;
          call(() => ear.onGap?.('restored'));
        }
      },
      (raw: unknown) => {
        if (!isCurrent()) return;
        const error = commandError('Redis', raw);
        // A lost connection is made again; a server that refuses a topic will go on to.
        if (error.code === 'BACKEND_REFUSED') for (const one of topic.waiting) one.reject(error);
        else this.#subscriber.reconnect('a topic could not be subscribed to');
      },
    );
  }

  #lost(): void {
    for (const topic of this.#topics.values()) {
      topic.confirmed = false;
      for (const ear of topic.ears) {
        if (!ear.promised || ear.deaf) continue;
        ear.deaf = true;
        call(() => ear.onGap?.('lost'));
      }
    }
  }

  #deliver(name: string, message: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    for (const ear of topic.ears) call(() => ear.listener(message));
  }

  #drop(topic: Topic, ear: Ear): void {
    if (!topic.ears.delete(ear) || topic.ears.size > 0 || this.#topics.get(topic.name) !== topic) return;
    this.#topics.delete(topic.name);
    this.#subscriber.client?.unsubscribe(topic.name).catch(() => {});
  }
}

/** A listener that throws is the listener's fault: the others still hear. */
function call(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    process.emitWarning(`A listener of the hotshelf bus threw: ${String(error)}`, { code: 'HOTSHELF_LISTENER' });
  }
}

function closed(): HotshelfError {
  return new HotshelfError('CLOSED', 'The redis backend was closed by its user.');
}
