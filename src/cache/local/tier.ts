/** Holds decoded values of this process in front of a server, and serves them only while no invalidation can have been missed. */

import { BurstClock } from '../../support/burst-clock.ts';
import type { Clock } from '../../support/clock.ts';
import { S3Fifo } from '../../support/s3-fifo.ts';
import type { Drop } from './message.ts';
import type { LocalPolicy } from './options.ts';
import { RecentDrops } from './recent-drops.ts';
import { LocalNode, TaggedMap } from './tagged-map.ts';

export type { LocalNode } from './tagged-map.ts';

/** Taken before a read begins: tells what was dropped, and when it was, while the answer was on its way. */
export interface Ticket {
  readonly number: number;
  /** Monotonic time, in ms. */
  readonly takenAt: number;
}

export interface PutOptions {
  /** How long from now the value may be served, in ms. */
  readonly expiresInMs: number;
  /**
   * How long from now until somebody should load it anew, in ms.
   * @default Infinity
   */
  readonly refreshInMs?: number;
  readonly tags: readonly string[];
  /** What the content weighs; key, tags and the tier's own books are added. */
  readonly weightBytes: number;
}

/** Where the tier hears of invalidations: announcements of other processes, or the server telling of every change. */
export type Channel = 'bus' | 'changes';

export type LocalTierOptions = Pick<LocalPolicy, 'maxBytes' | 'maxEntries' | 'maxLagMs' | 'timed' | 'tracking'>;

/** What a node and its places in the map and the queues take, in bytes; and its place under one tag, of which many are its alone. */
const nodeBytes = 280;
const tagBytes = 140;

/**
 * A bounded map of values that other processes may invalidate.
 *
 * On a backend with a bus a value is served only while a probe of each channel was answered that was *sent* less than `maxLagMs` ago:
 * every invalidation that was announced before the probe has then been heard. Where there is no bus (`timed`), a value is served for
 * at most `maxLagMs` from when its read began. Either way no read that begins `maxLagMs` after an invalidation gets an older value,
 * whatever was lost on the way.
 *
 * The time that `peek` goes by is never kept from one turn of the event loop to the next: a time that was kept over a pause of the
 * process would keep its trust over the pause too, for requests that came meanwhile.
 */
export class LocalTier<Content> {
  readonly #clock: Clock;
  readonly #burst: BurstClock;
  readonly #options: LocalTierOptions;
  #queues: S3Fifo<LocalNode<Content>>;
  #nodes: TaggedMap<Content>;
  /** Until when each channel is trusted; `-Infinity` after a gap. */
  readonly #channels = new Map<Channel, number>();
  #trustedUntil = Infinity;
  #drops = 0;
  readonly #droppedKeys = new RecentDrops();
  readonly #droppedTags = new RecentDrops();
  readonly #droppedPrefixes = new RecentDrops();

  constructor(options: LocalTierOptions, clock: Clock) {
    this.#clock = clock;
    this.#burst = new BurstClock(clock);
    this.#options = options;
    this.#queues = newQueues(options);
    this.#nodes = new TaggedMap(this.#queues);
    if (!options.timed) this.#channels.set('bus', -Infinity);
    if (options.tracking) this.#channels.set('changes', -Infinity);
    this.#reckon();
  }

  get stats(): { readonly entries: number; readonly bytes: number; readonly tags: number } {
    return { entries: this.#queues.size, bytes: this.#queues.weight, tags: this.#nodes.tags };
  }

  /** Whether anything may be served now. */
  get trusted(): boolean {
    return this.#clock.monotonic() < this.#trustedUntil;
  }

  /** Returns the node of `key` if it may be served now. */
  peek(key: string): LocalNode<Content> | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    const now = this.#burst.monotonic();
    if (now < node.expiresAt) return now < this.#trustedUntil ? node : undefined;
    this.#nodes.delete(node);
    return undefined;
  }

  /** To be taken before the read begins whose answer will be `put`. */
  ticket(): Ticket {
    return { number: this.#drops, takenAt: this.#clock.monotonic() };
  }

  /**
   * Keeps what a read brought.
   *
   * Returns false, and does not keep it, if it may be older than a drop that was carried out since `ticket` was taken, if its time is
   * over, or if it is too heavy; also while a channel is in a gap.
   */
  put(key: string, content: Content, options: PutOptions, ticket: Ticket): boolean {
    if (this.#trustedUntil === -Infinity || this.#isDropped(key, options.tags, ticket.number)) return false;
    const now = this.#clock.monotonic();
    const { maxLagMs, timed } = this.#options;
    const expiresAt = Math.min(now + options.expiresInMs, timed ? ticket.takenAt + maxLagMs : Infinity);
    if (expiresAt > now) {
      const times = { expiresAt, refreshAt: now + (options.refreshInMs ?? Infinity) };
      if (this.#nodes.put(new LocalNode(key, weightOf(key, options), content, times, options.tags))) return true;
    }
    this.#delete(key);
    return false;
  }

  /** Drops what has one of the keys, one of the tags, or a key that begins with one of the prefixes. */
  drop({ keys = [], tags = [], prefixes = [] }: Drop): void {
    this.#drops += 1;
    for (const key of keys) {
      this.#droppedKeys.note(key, this.#drops);
      this.#delete(key);
    }
    for (const tag of tags) {
      this.#droppedTags.note(tag, this.#drops);
      this.#nodes.deleteTagged(tag);
    }
    if (prefixes.length > 0) this.#dropPrefixes(prefixes);
  }

  /** Drops everything. */
  clear(): void {
    this.#drops += 1;
    this.#droppedPrefixes.dropAll(this.#drops);
    this.#queues = newQueues<Content>(this.#options);
    this.#nodes = new TaggedMap(this.#queues);
  }

  /** Takes note of an answered probe that was sent `sentAgoMs` ago. */
  trust(sentAgoMs: number, channel: Channel = 'bus'): void {
    const until = this.#channels.get(channel);
    if (until === undefined) return;
    // What was read before the channel was heard may be older than an announcement that was missed.
    if (until === -Infinity) this.clear();
    this.#channels.set(channel, Math.max(until, this.#clock.monotonic() - sentAgoMs + this.#options.maxLagMs));
    this.#reckon();
  }

  /** Takes note of a gap: drops everything, and keeps nothing until the next answered probe. */
  distrust(channel: Channel = 'bus'): void {
    this.clear();
    if (this.#channels.has(channel)) this.#channels.set(channel, -Infinity);
    this.#reckon();
  }

  #reckon(): void {
    this.#trustedUntil = Math.min(...this.#channels.values());
  }

  #dropPrefixes(prefixes: readonly string[]): void {
    if (prefixes.includes('')) {
      this.clear();
      return;
    }
    for (const prefix of prefixes) this.#droppedPrefixes.note(prefix, this.#drops);
    this.#nodes.deleteWhere((key) => prefixes.some((prefix) => key.startsWith(prefix)));
  }

  #isDropped(key: string, tags: readonly string[], since: number): boolean {
    if (this.#drops === since) return false;
    if (this.#droppedKeys.lastOf(key) > since) return true;
    for (const tag of tags) if (this.#droppedTags.lastOf(tag) > since) return true;
    return this.#droppedPrefixes.latest > since && this.#droppedPrefixes.lastOfPrefix(key) > since;
  }

  #delete(key: string): void {
    const node = this.#nodes.find(key);
    if (node !== undefined) this.#nodes.delete(node);
  }
}

function newQueues<Content>({ maxBytes, maxEntries }: LocalTierOptions): S3Fifo<LocalNode<Content>> {
  return new S3Fifo({ maxWeight: maxBytes, maxEntries });
}

function weightOf(key: string, options: PutOptions): number {
  let weight = nodeBytes + key.length + options.weightBytes;
  for (const tag of options.tags) weight += tagBytes + tag.length;
  return weight;
}
