/** The bus facet on Redis: classic publish and subscribe, with every possible loss reported as a gap. */

import type { Bus, SubscribeOptions, Subscription } from '../../src/backend/bus.ts';
import type { Clock } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { Line } from './line.ts';
import type { Nodes } from './nodes.ts';

/**
 * All messages go through one server, so that whoever publishes and whoever listens meet there: on a Cluster it is the
 * master of one fixed slot. Only there is a probe a promise, and the count the whole count.
 *
 * A server counts connections: the second subscription of one backend to one topic gets a connection of its own.
 *
 * A probe can promise no more than the servers agree on: while two of them take themselves for the owner of the slot, or for
 * the master behind one name, a message may go through the one and the answer come from the other. While the slot is handed
 * over, a message can overtake another; the gap is reported.
 */
export class RedisBus implements Bus {
  /**
   * On one server commands and messages travel on one connection, in the order of the calls, and the server carries them
   * out in that order. A command that fails with `OUTCOME_UNKNOWN` may have been lost on the way, as may its connection.
   * On a Cluster a key and the messages are on different servers.
   */
  readonly ordered: boolean;
  readonly #nodes: Nodes;
  readonly #clock: Clock;
  readonly #lines: Line[] = [];
  #closed = false;

  constructor(nodes: Nodes, clock: Clock) {
    this.#nodes = nodes;
    this.#clock = clock;
    this.ordered = nodes.only !== undefined;
  }

  async publish(topic: string, message: string): Promise<number> {
    return Number(await this.#nodes.publish(topic, message));
  }

  async subscribe(
    topic: string,
    listener: (message: string) => void,
    options?: SubscribeOptions,
  ): Promise<Subscription> {
    if (this.#closed) throw new HotshelfError('CLOSED', 'The redis backend was closed by its user.');
    const line = this.#lines.find((one) => !one.hears(topic)) ?? this.#moreLines();
    try {
      const subscription = await line.open(topic, (message) => listener(String(message)), options);
      return {
        close: async () => {
          await subscription.close();
          this.#tidy(line);
        },
      };
    } catch (error) {
      this.#tidy(line);
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const line of this.#lines.splice(0)) line.close();
  }

  #moreLines(): Line {
    const line = new Line({
      nodes: this.#nodes,
      clock: this.#clock,
      connectionName: 'hotshelf-bus',
      join: (client, topic) => client.subscribe(topic),
    });
    this.#lines.push(line);
    return line;
  }

  /** The first connection stays: somebody may want to listen again. */
  #tidy(line: Line): void {
    const index = this.#lines.indexOf(line);
    if (index <= 0 || !line.isIdle) return;
    this.#lines.splice(index, 1);
    line.close();
  }
}
