/** Keeps maps within bounds by S3-FIFO: a small queue sifts out what is used once, a main queue keeps what is used again. */

// Yang et al., "FIFO queues are all you need for cache eviction" (SOSP 2023).

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

/** What a node needs to know of the map that it is in. */
interface Home {
  forget(key: string): void;
  delete(node: FifoNode): void;
  resize(node: FifoNode, weight: number): boolean;
}

/** The base class of what a `FifoMap` holds. Everything but `key` and `weight` belongs to the queues. */
export class FifoNode {
  key: string;
  /** What it counts against `maxWeight`; changed by `FifoMap.resize` only. */
  weight: number;
  uses = 0;
  hash = 0;
  inMain = false;
  /** The map that holds it; `undefined` before it was put in, and once it was replaced, deleted or evicted. */
  home: Home | undefined = undefined;
  older: this | undefined = undefined;
  newer: this | undefined = undefined;

  constructor(key: string, weight: number) {
    this.key = key;
    this.weight = weight;
  }
}

/** The part of the queues that a map needs; a map of one kind of node may share queues that hold more kinds. */
export interface FifoRoom<Node extends FifoNode> {
  admit(node: Node, home: Home): boolean;
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
  readonly #small = new Queue<Node>();
  readonly #main = new Queue<Node>();
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

  admit(node: Node, home: Home): boolean {
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

  #queueOf(node: Node): Queue<Node> {
    return node.inMain ? this.#main : this.#small;
  }

  #following(node: Node): Node | undefined {
    return node.newer ?? (node.inMain ? undefined : this.#main.oldest);
  }

  #push(queue: Queue<Node>, node: Node): void {
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
    while (node !== undefined && this.#exceeds(this.#small, smallShare) && !this.#exceeds(this.#main, 1 - smallShare)) {
      this.#move(node);
      node = this.#small.oldest;
    }
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

/** A doubly linked list through the nodes themselves. */
class Queue<Node extends FifoNode> {
  size = 0;
  weight = 0;
  oldest: Node | undefined;
  #newest: Node | undefined;

  oldestBut(keep: Node): Node | undefined {
    return this.oldest === keep ? keep.newer : this.oldest;
  }

  push(node: Node): void {
    node.older = this.#newest;
    node.newer = undefined;
    if (this.#newest === undefined) this.oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
    this.size += 1;
    this.weight += node.weight;
  }

  unlink(node: Node): void {
    if (node.older === undefined) this.oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
    node.older = undefined;
    node.newer = undefined;
    this.size -= 1;
    this.weight -= node.weight;
  }

  replace(old: Node, next: Node): void {
    next.older = old.older;
    next.newer = old.newer;
    if (next.older === undefined) this.oldest = next;
    else next.older.newer = next;
    if (next.newer === undefined) this.#newest = next;
    else next.newer.older = next;
    old.older = undefined;
    old.newer = undefined;
    this.weight += next.weight - old.weight;
  }
}

/**
 * Remembers the hashes of the last evictions, as many as are asked for: a table with the time of each, in pairs of slots
 * of which the older is overwritten. It may forget a few; two keys with one hash only cost a better place than deserved.
 */
class Ghosts {
  #hashes = new Int32Array(1024);
  #times = new Uint32Array(1024);
  #time = 0;

  has(hash: number, count: number): boolean {
    const slot = hash & (this.#hashes.length - 1);
    return this.#holds(slot, hash, count) || this.#holds(slot ^ 1, hash, count);
  }

  add(hash: number, count: number): void {
    if (count * 2 > this.#hashes.length) this.#grow();
    this.#time = (this.#time + 1) >>> 0;
    this.#write(hash, this.#time);
  }

  #holds(slot: number, hash: number, count: number): boolean {
    return this.#hashes[slot] === hash && this.#age(slot) < count;
  }

  #age(slot: number): number {
    return (this.#time - (this.#times[slot] ?? 0)) >>> 0;
  }

  #write(hash: number, time: number): void {
    let slot = hash & (this.#hashes.length - 1);
    if (this.#age(slot ^ 1) > this.#age(slot)) slot ^= 1;
    this.#hashes[slot] = hash;
    this.#times[slot] = time;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const times = this.#times;
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#times = new Uint32Array(hashes.length * 2);
    hashes.forEach((hash, slot) => {
      if (hash !== 0) this.#write(hash, times[slot] ?? 0);
    });
  }
}

/** FNV-1a with a final mix; never 0, which marks an empty slot. */
function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) | 0 || 1;
}
