/** Keeps maps within bounds by S3-FIFO: a small queue sifts out what is used once, a main queue keeps what is used again. */

// Yang et al., "FIFO queues are all you need for cache eviction" (SOSP 2023).

import { FifoNode, FifoQueue, type FifoHome } from './fifo-queue.ts';
import { Ghosts, hashKey } from './ghosts.ts';

export { FifoNode };

export interface FifoBounds {
  readonly maxWeight: number;
  readonly maxEntries: number;
}

/** Uses are counted up to this: enough to tell what is used again from what is used often. */
const maxUses = 3;
/** The small queue's share of the bounds. */
const smallShare = 0.1;
/** So many used nodes get another round before one is evicted all the same: no insertion may walk the whole queue. */
const maxRounds = 64;

/** The part of the queues that a map needs; a map of one kind of node may share queues that hold more kinds. */
export interface FifoRoom<Node extends FifoNode> {
  admit(node: Node, home: FifoHome): boolean;
  replace(old: Node, next: Node): boolean;
  resize(node: Node, weight: number): boolean;
  remove(node: Node): void;
}

/** A keyed view on the queues. Several maps may share one `S3Fifo`, and with it its bounds. */
export class FifoMap<Node extends FifoNode> {
  readonly #nodes = new Map<string, Node>();
  readonly #room: FifoRoom<Node>;

  constructor(room: FifoRoom<Node>) {
    this.#room = room;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Returns the node of `key` and counts a use. */
  get(key: string): Node | undefined {
    const node = this.#nodes.get(key);
    if (node !== undefined && node.uses < maxUses) node.uses += 1;
    return node;
  }

  /** Returns the node of `key` without counting a use. */
  find(key: string): Node | undefined {
    return this.#nodes.get(key);
  }

  /**
   * Puts `node` in; it takes the place and the uses of the node that had its key. Others may be evicted, `node` is not.
   *
   * Returns false, and changes nothing, if `node` alone is heavier than the bounds allow.
   */
  put(node: Node): boolean {
    const old = this.#nodes.get(node.key);
    if (!(old === undefined ? this.#room.admit(node, this) : this.#room.replace(old, node))) return false;
    this.#nodes.set(node.key, node);
    return true;
  }

  /** Gives a node another weight. Others may be evicted; false, and no change, if it is heavier than the bounds allow. */
  resize(node: Node, weight: number): boolean {
    return node.home === this && this.#room.resize(node, weight);
  }

  /** Takes `node` out; nothing happens if it is no longer in. */
  delete(node: Node): void {
    if (node.home !== this) return;
    this.#nodes.delete(node.key);
    this.#room.remove(node);
  }

  /** All nodes, in no order that matters; the one that was just returned may be deleted. */
  nodes(): IterableIterator<Node> {
    return this.#nodes.values();
  }

  /** Takes out every node whose key fits. */
  deleteWhere(fits: (key: string) => boolean): void {
    for (const node of this.#nodes.values()) if (fits(node.key)) this.delete(node);
  }

  /** Called by the queues when they evict. */
  forget(key: string): void {
    this.#nodes.delete(key);
  }
}

/** The queues and their bounds, which hold at the end of every call: total weight and number of nodes. */
export class S3Fifo<Node extends FifoNode> {
  readonly #bounds: FifoBounds;
  readonly #small = new FifoQueue<Node>();
  readonly #main = new FifoQueue<Node>();
  readonly #ghosts = new Ghosts();
  /** Where `scan` goes on; `undefined` at the start of a lap. */
  #cursor: Node | undefined;

  constructor(bounds: FifoBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#small.size + this.#main.size;
  }

  get weight(): number {
    return this.#small.weight + this.#main.weight;
  }

  admit(node: Node, home: FifoHome): boolean {
    if (node.weight > this.#bounds.maxWeight) return false;
    node.home = home;
    node.hash = hashKey(node.key);
    this.#push(this.#ghosts.has(node.hash, this.#main.size) ? this.#main : this.#small, node);
    this.#settle();
    this.#makeRoom(node);
    return true;
  }

  replace(old: Node, next: Node): boolean {
    if (next.weight > this.#bounds.maxWeight) return false;
    if (old === next) return true;
    // One string for the map and the node: the caller's may be another with the same characters.
    next.key = old.key;
    next.hash = old.hash;
    next.uses = old.uses;
    next.inMain = old.inMain;
    next.home = old.home;
    this.#queueOf(old).replace(old, next);
    if (this.#cursor === old) this.#cursor = next;
    old.home = undefined;
    this.#makeRoom(next);
    return true;
  }

  resize(node: Node, weight: number): boolean {
    if (weight > this.#bounds.maxWeight) return false;
    this.#queueOf(node).weight += weight - node.weight;
    node.weight = weight;
    this.#makeRoom(node);
    return true;
  }

  remove(node: Node): void {
    this.#unlink(node);
    node.home = undefined;
  }

  /**
   * Visits up to `limit` nodes, going on where the last call stopped; true when it came to the end of a lap.
   *
   * `visit` may delete what it is given.
   */
  scan(limit: number, visit: (node: Node) => void): boolean {
    let node = this.#cursor ?? this.#small.oldest ?? this.#main.oldest;
    for (let left = limit; node !== undefined && left > 0; left -= 1) {
      this.#cursor = this.#following(node);
      visit(node);
      node = this.#cursor;
    }
    return node === undefined;
  }

  #queueOf(node: Node): FifoQueue<Node> {
    return node.inMain ? this.#main : this.#small;
  }

  #following(node: Node): Node | undefined {
    return node.newer ?? (node.inMain ? undefined : this.#main.oldest);
  }

  #push(queue: FifoQueue<Node>, node: Node): void {
    node.inMain = queue === this.#main;
    queue.push(node);
  }

  #unlink(node: Node): void {
    if (this.#cursor === node) this.#cursor = this.#following(node);
    this.#queueOf(node).unlink(node);
  }

  #move(node: Node): void {
    this.#unlink(node);
    this.#push(this.#main, node);
  }

  #exceeds(queue: { readonly weight: number; readonly size: number }, share: number): boolean {
    return queue.weight > this.#bounds.maxWeight * share || queue.size > this.#bounds.maxEntries * share;
  }

  /**
   * Lets what is too much for the small queue into the main queue while there is room. Without it nothing but the small
   * queue would ever fill on a loop that is longer than the bounds, and each node would be evicted just before its use.
   */
  #settle(): void {
    let node = this.#small.oldest;
    while (node !== undefined && this.#exceeds(this.#small, smallShare) && this.#mainHasRoom()) {
      this.#move(node);
      node = this.#small.oldest;
    }
  }

  #mainHasRoom(): boolean {
    const { maxWeight, maxEntries } = this.#bounds;
    return this.#main.weight < maxWeight * (1 - smallShare) && this.#main.size < maxEntries * (1 - smallShare);
  }

  #makeRoom(keep: Node): void {
    let rounds = maxRounds;
    while (this.#exceeds(this, 1)) {
      const small = this.#small.oldestBut(keep);
      const main = this.#main.oldestBut(keep);
      if (small !== undefined && (main === undefined || this.#exceeds(this.#small, smallShare))) {
        if (small.uses === 0) {
          this.#ghosts.add(small.hash, this.#main.size);
          this.#evict(small);
        } else {
          small.uses = 0;
          this.#move(small);
        }
      } else if (main !== undefined) {
        if (main.uses === 0 || rounds === 0) {
          this.#evict(main);
          rounds = maxRounds;
        } else {
          main.uses -= 1;
          rounds -= 1;
          this.#move(main);
        }
      } else return;
    }
  }

  #evict(node: Node): void {
    this.#unlink(node);
    node.home?.forget(node.key);
    node.home = undefined;
  }
}
