/** Keeps account of one connection for messages: who hears what, since when, and who must be told of a gap. */

import type { SubscribeOptions, Subscription } from '../../src/backend/bus.ts';
import { afterAwake } from '../../src/support/awake.ts';
import type { Clock } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import type { Connection } from './client.ts';
import { commandError } from './errors.ts';
import type { Nodes } from './nodes.ts';
import { Subscriber } from './subscriber.ts';

/** How long `open` waits for the server, in ms; a connection may have to be made first. */
const confirmWithinMs = 1000;

/** An idle connection that broke somewhere on the way looks alive until it is used: it is used this often, in ms. */
const beatEveryMs = 1000;

export interface LineOptions {
  readonly nodes: Nodes;
  readonly clock: Clock;
  /** What `CLIENT LIST` shows. */
  readonly connectionName: string;
  /** Has the server send what comes on `channel`; called anew for each connection. */
  readonly join: (client: Connection, channel: string) => Promise<unknown>;
}

/** What comes on one channel, and for whom. */
interface Ear {
  readonly channel: string;
  readonly listener: (payload: unknown) => void;
  readonly options: SubscribeOptions;
  /** `asked` until the server confirmed it for the first time: what is lost before was never promised. */
  state: 'asked' | 'hears' | 'deaf';
  settle: (error?: HotshelfError) => void;
}

export class Line {
  readonly #options: LineOptions;
  readonly #ears = new Map<string, Ear>();
  readonly #subscriber: Subscriber;
  #closed = false;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#subscriber = new Subscriber({
      clock: options.clock,
      nodes: options.nodes,
      connectionName: options.connectionName,
      beatEveryMs: () => Math.min(...this.#wishes()),
      onReady: (client) => {
        for (const ear of this.#ears.values()) this.#join(ear, client);
      },
      onLost: () => this.#lost(),
      onMessage: (channel, payload) => {
        const ear = this.#ears.get(channel);
        if (ear !== undefined) call(() => ear.listener(payload));
      },
      onBeat: () => this.#beat(),
    });
  }

  get isIdle(): boolean {
    return this.#ears.size === 0;
  }

  /** A connection is sent each message once: who wants to hear `channel` too needs a line of its own. */
  hears(channel: string): boolean {
    return this.#ears.has(channel);
  }

  /**
   * Calls `listener` with what comes on `channel`; resolves when the server confirmed that.
   *
   * @throws {HotshelfError} `BACKEND_DOWN` after a second, `BACKEND_REFUSED` or `CLOSED`.
   */
  async open(
    channel: string,
    listener: (payload: unknown) => void,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    const ear: Ear = { channel, listener, options, state: 'asked', settle: () => {} };
    this.#ears.set(channel, ear);
    const confirmed = this.#confirmation(ear);
    const { client } = this.#subscriber;
    if (client === undefined) this.#subscriber.start();
    else this.#join(ear, client);
    try {
      await confirmed;
    } catch (error) {
      this.#drop(ear);
      throw error;
    }
    return { close: async () => this.#drop(ear) };
  }

  close(): void {
    this.#closed = true;
    this.#subscriber.close();
    const ears = [...this.#ears.values()];
    this.#ears.clear();
    for (const ear of ears) ear.settle(new HotshelfError('CLOSED', 'The redis backend was closed by its user.'));
  }

  *#wishes(): Generator<number> {
    yield beatEveryMs;
    for (const { options } of this.#ears.values()) yield Math.max(1, options.probeEveryMs ?? beatEveryMs);
  }

  #confirmation(ear: Ear): Promise<void> {
    return new Promise((resolve, reject) => {
      ear.settle = (error) => {
        timer.cancel();
        if (error === undefined) resolve();
        else reject(error);
      };
      const timer = afterAwake(this.#options.clock, confirmWithinMs, () => {
        const { problem } = this.#subscriber;
        ear.settle(new HotshelfError('BACKEND_DOWN', `The server could not be listened to: ${problem}.`));
      });
    });
  }

  #join(ear: Ear, client: Connection): void {
    const isCurrent = () => this.#subscriber.client === client && this.#ears.get(ear.channel) === ear;
    this.#options.join(client, ear.channel).then(
      () => {
        if (isCurrent()) this.#joined(ear);
      },
      (raw: unknown) => {
        if (!isCurrent()) return;
        const error = commandError('Redis', raw);
        // A lost connection is made again; a server that refuses a channel will go on to.
        if (error.code === 'BACKEND_REFUSED') ear.settle(error);
        else this.#subscriber.reconnect('a channel could not be subscribed to');
      },
    );
  }

  #joined(ear: Ear): void {
    const wasDeaf = ear.state === 'deaf';
    ear.state = 'hears';
    ear.settle();
    if (wasDeaf) call(() => ear.options.onGap?.('restored'));
    this.#subscriber.beat();
  }

  #lost(): void {
    for (const ear of this.#ears.values()) {
      if (ear.state !== 'hears') continue;
      ear.state = 'deaf';
      call(() => ear.options.onGap?.('lost'));
    }
  }

  /** Who hears when the question is sent has heard everything of before when the answer comes. */
  #beat(): (sentAgoMs: number) => void {
    const asked = [...this.#ears.values()].filter(({ state, options }) => state === 'hears' && options.onProbe);
    return (sentAgoMs) => {
      for (const ear of asked) {
        if (this.#ears.get(ear.channel) === ear) call(() => ear.options.onProbe?.(sentAgoMs));
      }
    };
  }

  #drop(ear: Ear): void {
    if (this.#ears.get(ear.channel) !== ear) return;
    this.#ears.delete(ear.channel);
    if (!this.#closed) this.#subscriber.client?.unsubscribe(ear.channel).catch(() => {});
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
