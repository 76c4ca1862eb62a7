/** Tells of changes to keys by anybody: client tracking of Redis, in broadcast mode. */

import type { SubscribeOptions, Subscription } from '../../src/backend/bus.ts';
import type { Changes } from '../../src/backend/values.ts';
import type { Clock } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { commandClass, type CommandArgument, type Connection, type Reply } from './client.ts';
import { Line } from './line.ts';
import type { Nodes } from './nodes.ts';

const channel = '__redis__:invalidate';

/**
 * The server tells of a write before it answers it, also of one to another of its databases. A value that ends with its
 * time is told of when the server notices: at a read, or when it sweeps. A flush of any database is told as `undefined`.
 *
 * Each `watch` has a connection of its own. On a Cluster there is no such thing: each master tells of its own keys only, so a
 * watch would be one connection to each, and no better than the worst of them.
 */
export class RedisChanges implements Changes {
  readonly #nodes: Nodes;
  readonly #clock: Clock;
  readonly #lines = new Set<Line>();
  #closed = false;

  constructor(nodes: Nodes, clock: Clock) {
    this.#nodes = nodes;
    this.#clock = clock;
  }

  async watch(
    prefix: string,
    listener: (keys: readonly string[] | undefined) => void,
    options?: SubscribeOptions,
  ): Promise<Subscription> {
    if (this.#closed) throw new HotshelfError('CLOSED', 'The redis backend was closed by its user.');
    const { keyPrefix } = this.#nodes;
    const line = new Line({
      nodes: this.#nodes,
      clock: this.#clock,
      connectionName: 'hotshelf-changes',
      join: async (client) => {
        await track(client, keyPrefix + prefix);
        await client.subscribe(channel);
      },
    });
    this.#lines.add(line);
    const end = () => {
      this.#lines.delete(line);
      line.close();
    };
    try {
      const subscription = await line.open(channel, (told) => listener(keysIn(told, keyPrefix)), options);
      return {
        close: async () => {
          await subscription.close();
          end();
        },
      };
    } catch (error) {
      end();
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const line of this.#lines) line.close();
    this.#lines.clear();
  }
}

/** A connection that speaks protocol 2 is told as a subscriber, to which end it redirects what it is told to itself. */
async function track(client: Connection, prefix: string): Promise<void> {
  const id = Number(await send(client, ['ID']));
  await send(client, ['TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', prefix]);
}

function send(client: Connection, args: readonly CommandArgument[]): Promise<Reply> {
  const Command = commandClass(client);
  return client.sendCommand(new Command('client', args));
}

/** @param told keys as bytes, or null when all were flushed */
function keysIn(told: unknown, keyPrefix: string): readonly string[] | undefined {
  return Array.isArray(told) ? told.map((key) => String(key).slice(keyPrefix.length)) : undefined;
}
