/** A queue that is linked through its nodes, so that any of them can leave or be replaced at once. */

/** What a node needs to know of the map that it is in. */
export interface FifoHome {
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
  home: FifoHome | undefined = undefined;
  older: this | undefined = undefined;
  newer: this | undefined = undefined;

  constructor(key: string, weight: number) {
    this.key = key;
    this.weight = weight;
  }
}

export class FifoQueue<Node extends FifoNode> {
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
