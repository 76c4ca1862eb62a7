/** Tells other processes what changed, and hears it from them. */

import { randomBytes } from 'node:crypto';
import type { Bus, Subscription } from '../../backend/bus.ts';
import type { Clock } from '../../support/clock.ts';
import { Listening } from './listening.ts';
import { Members } from './members.ts';
import {
  decodeMessage,
  type Drop,
  encodeBye,
  encodeDone,
  encodeDrop,
  encodeHello,
  everything,
  type Reply,
} from './message.ts';
import { Round } from './round.ts';

export interface AnnouncementsParts {
  readonly bus: Bus;
  readonly clock: Clock;
  /** The first part of every key of the cache: its processes share one topic. */
  readonly prefix: string;
  /** The same in all processes. */
  readonly maxLagMs: number;
}

export interface Ears {
  /** Drops, at once, what is no longer true. */
  readonly onDrop: (drop: Drop) => void;
  /** Announcements may have been missed. */
  readonly onGap: (state: 'lost' | 'restored') => void;
  /** A probe was answered that was sent so long ago: what was announced before it has been heard. */
  readonly onProbe: (sentAgoMs: number) => void;
  /** Listening failed with `error`, and will be tried again. */
  readonly onProblem?: (error: unknown) => void;
}

/** When no local tier is trusted any more that missed an announcement, in ms after its `publish` resolved. */
export function fenceMs(maxLagMs: number): number {
  return Math.ceil(maxLagMs * 1.1 + 10);
}

/**
 * The announcements of one cache.
 *
 * `announce(drop, { ack: true })` resolves when no process serves from its local tier what was dropped. That is certain in two ways.
 *
 * The fence: a tier is trusted only while a probe was answered that was sent less than `maxLag` ago. Whoever is trusted later than
 * `maxLag` after `publish` resolved, sent its probe after that, and has heard whatever was published before. So after `maxLag`, and a
 * margin for clocks that do not run alike, everybody has heard the announcement or serves nothing. No answer is needed for that.
 *
 * The answers, which come sooner: every listener answers once it has dropped. The count of `publish` alone does not say for how many
 * to wait: a server may have given up a connection whose owner does not know yet, and trusts itself for a while. So whoever begins to
 * listen says hello, and passes on no probe before; and an announcement waits for everyone who ever said hello or answered, and has
 * not said bye. Who gave no answer within a fence is forgotten. A process knows everyone after a first announcement that waited for
 * the whole fence (a census), and for as long as it has heard every hello since: it hears its own announcement after all hellos that
 * came before it, and after a gap it makes another census.
 *
 * A process that does not listen can announce, and always waits for the fence.
 */
export class Announcements {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #topic: string;
  readonly #maxLagMs: number;
  readonly #name = randomBytes(9).toString('base64url');
  readonly #connection: string;
  readonly #members = new Members();
  readonly #rounds = new Map<number, Round>();
  #listening: Listening | undefined;
  /** Where answers come in, from the first announcement on that wants some; `undefined` inside if that failed. */
  #answers: Promise<Subscription | undefined> | undefined;
  #ids = 0;

  constructor({ bus, clock, prefix, maxLagMs }: AnnouncementsParts) {
    this.#bus = bus;
    this.#clock = clock;
    this.#prefix = prefix;
    this.#topic = `${prefix}!drop`;
    this.#maxLagMs = maxLagMs;
    this.#connection = connectionOf(bus);
  }

  /** Listens until `close`, again and again if it fails. To be called once. */
  listen({ onDrop, onGap, onProbe, onProblem = () => {} }: Ears): void {
    this.#listening ??= new Listening({
      bus: this.#bus,
      clock: this.#clock,
      topic: this.#topic,
      hello: encodeHello(this.#name),
      bye: encodeBye(this.#name),
      probeEveryMs: this.#maxLagMs / 3,
      onMessage: (text) => this.#hear(text, onDrop),
      onGap: (state) => {
        this.#members.missed();
        onGap(state);
      },
      onProbe,
      onProblem,
    });
  }

  /**
   * Tells everybody to drop; this process hears it like the others, if it listens.
   *
   * Resolves when it was published; with `ack` when nobody serves the dropped values any more, at most `fenceMs(maxLagMs)` later.
   * Rejects as `publish` does: then it may or may not have been heard, and is to be repeated.
   */
  async announce(drop: Drop, { ack = false }: { ack?: boolean } = {}): Promise<void> {
    const asks = ack && this.#listening?.joined === true && (await this.#hearsAnswers());
    this.#ids += 1;
    const id = this.#ids;
    const messages = encodeDrop(drop, asks ? { to: this.#name, id } : undefined);
    if (messages.length === 0) return;
    if (asks) await this.#collect(messages, id);
    else {
      await this.#publish(messages);
      if (ack) await this.#fence().passed;
    }
  }

  /** Ends listening; to be called when nothing is served any more. */
  async close(): Promise<void> {
    await this.#listening?.close();
    await (await this.#answers)?.close();
  }

  /** Returns how many subscriptions the last message was given to. */
  async #publish(messages: readonly string[]): Promise<number> {
    const counts = await Promise.all(messages.map((message) => this.#bus.publish(this.#topic, message)));
    return counts.at(-1) ?? 0;
  }

  async #collect(messages: readonly string[], id: number): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const round = new Round(this.#members);
    this.#rounds.set(id, round);
    try {
      const count = await this.#publish(messages);
      const fence = this.#fence();
      round.published(count, fence.open);
      await fence.passed;
      if (!round.done) this.#members.counted(startedAt, round.isCensus);
    } finally {
      this.#rounds.delete(id);
    }
  }

  #fence(): { readonly passed: Promise<void>; readonly open: () => void } {
    let open = () => {};
    const passed = new Promise<void>((resolve) => {
      const timer = this.#clock.after(fenceMs(this.#maxLagMs), resolve);
      open = () => {
        timer.cancel();
        resolve();
      };
    });
    return { passed, open };
  }

  async #hearsAnswers(): Promise<boolean> {
    this.#answers ??= this.#bus
      .subscribe(this.#answerTopic(this.#name), (text) => this.#hearAnswer(text))
      .catch(() => {
        this.#answers = undefined;
        return undefined;
      });
    return (await this.#answers) !== undefined;
  }

  #hear(text: string, onDrop: Ears['onDrop']): void {
    const message = decodeMessage(text);
    if (message?.type === 'hello') this.#members.seen(message.name, this.#clock.monotonic());
    else if (message?.type === 'bye') this.#members.gone(message.name);
    else if (message?.type === 'drop') {
      onDrop(message.drop);
      if (message.reply !== undefined) this.#heardQuestion(message.reply);
    } else onDrop(everything);
  }

  #heardQuestion(reply: Reply): void {
    if (reply.to === this.#name) this.#rounds.get(reply.id)?.heard();
    // A microtask later all listeners of this connection have dropped, for whom one answer may count.
    queueMicrotask(() => this.#answer(reply));
  }

  #answer({ to, id }: Reply): void {
    if (to === this.#name) this.#answered(id, this.#name, this.#connection);
    else this.#bus.publish(this.#answerTopic(to), encodeDone(id, this.#name, this.#connection)).catch(() => {});
  }

  #hearAnswer(text: string): void {
    const message = decodeMessage(text);
    if (message?.type === 'done') this.#answered(message.id, message.name, message.connection);
  }

  #answered(id: number, name: string, connection: string): void {
    this.#members.seen(name, this.#clock.monotonic());
    this.#rounds.get(id)?.answered(name, connection);
  }

  #answerTopic(name: string): string {
    return `${this.#prefix}!ack:${name}`;
  }
}

/** Names that tell whether two listeners share a connection: a server counts them as one subscription. */
const connections = new WeakMap<Bus, string>();

function connectionOf(bus: Bus): string {
  const name = connections.get(bus) ?? randomBytes(9).toString('base64url');
  connections.set(bus, name);
  return name;
}
