/** Tells other processes what changed, and hears it from them. */

import { randomBytes } from 'node:crypto';
import type { Bus, Subscription } from '../../backend/bus.ts';
import type { Clock, Timer } from '../../support/clock.ts';
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
  who,
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
 * The answers, which come sooner: every listener answers once it has dropped. For whom to wait, `publish` cannot say: its count misses
 * a connection that the server gave up while its owner still trusts itself, and has one whose owner is long dead. So a listener counts
 * no probe that it sent before it had said hello, and an announcement waits for everybody who did. The announcer has heard of them:
 * each hello came before its owner's last probe, thus before the announcement, or else its owner has heard that too; and what comes
 * before the announcement, the announcer hears before the announcement. Those of before its own time, and of a gap, it learns by a
 * census: it asks everybody to say hello again, and after the fence nobody is trusted who has not. Who is silent for a whole fence is
 * forgotten by another census. Until a census is over, announcements wait for the fence; it is made behind, from the first
 * announcement on that wants answers.
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
  readonly #members = new Members();
  readonly #rounds = new Map<number, Round>();
  #listening: Listening | undefined;
  /** Where answers come in, from the first announcement on that wants some; `undefined` inside if that failed. */
  #answers: Promise<Subscription | undefined> | undefined;
  #ids = 0;
  #census: Timer | undefined;
  #counting = false;

  constructor({ bus, clock, prefix, maxLagMs }: AnnouncementsParts) {
    this.#bus = bus;
    this.#clock = clock;
    this.#prefix = prefix;
    this.#topic = `${prefix}!drop`;
    this.#maxLagMs = maxLagMs;
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
        if (this.#answers !== undefined) this.#count();
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
    const asks = ack && this.#listening?.live === true && (await this.#hearsAnswers());
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
    this.#census?.cancel();
    await this.#listening?.close();
    await (await this.#answers)?.close();
  }

  async #publish(messages: readonly string[]): Promise<void> {
    await Promise.all(messages.map((message) => this.#bus.publish(this.#topic, message)));
  }

  async #collect(messages: readonly string[], id: number): Promise<void> {
    const round = new Round(this.#members);
    this.#rounds.set(id, round);
    this.#count();
    try {
      await this.#publish(messages);
      const fence = this.#fence();
      round.whenDone(fence.open);
      await fence.passed;
    } finally {
      this.#rounds.delete(id);
    }
    if (!round.hasSilent || !this.#members.complete) return;
    this.#members.missed();
    this.#count();
  }

  /** Takes a census behind, unless one is running or none is needed. */
  #count(): void {
    if (this.#counting || this.#members.complete || !this.#listening?.live) return;
    this.#counting = true;
    const { generation } = this.#members;
    const startedAt = this.#clock.monotonic();
    const over = () => {
      this.#counting = false;
      if (generation === this.#members.generation) this.#members.counted(startedAt);
      else this.#count();
    };
    this.#bus.publish(this.#topic, who).then(
      () => {
        if (this.#listening?.live)
          this.#census = this.#clock.after(fenceMs(this.#maxLagMs), over, { background: true });
        else this.#counting = false;
      },
      () => void (this.#counting = false),
    );
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
    switch (message?.type) {
      case 'drop':
        onDrop(message.drop);
        if (message.reply !== undefined) this.#answer(message.reply);
        break;
      case 'hello':
        this.#members.seen(message.name, this.#clock.monotonic());
        break;
      case 'bye':
        this.#members.gone(message.name);
        break;
      case 'who':
        this.#listening?.greet();
        break;
      default:
        onDrop(everything);
    }
  }

  #answer({ to, id }: Reply): void {
    if (to === this.#name) {
      this.#rounds.get(id)?.heard();
      this.#answered(id, to);
    } else this.#bus.publish(this.#answerTopic(to), encodeDone(id, this.#name)).catch(() => {});
  }

  #hearAnswer(text: string): void {
    const message = decodeMessage(text);
    if (message?.type === 'done') this.#answered(message.id, message.name);
  }

  #answered(id: number, name: string): void {
    this.#members.seen(name, this.#clock.monotonic());
    this.#rounds.get(id)?.answered(name);
  }

  #answerTopic(name: string): string {
    return `${this.#prefix}!ack:${name}`;
  }
}
