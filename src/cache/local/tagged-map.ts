/** Holds the nodes of a local tier by key, and finds them by tag: also after evictions no tag remembers what is gone. */

import { FifoMap, FifoNode } from '../../support/s3-fifo.ts';

/** A value of this process under its key. Times are those of a clock that only moves forward, in ms. */
export class LocalNode<Content> extends FifoNode {
  /** What readers get; shared by all of them. */
  readonly content: Content;
  readonly expiresAt: number;
  /** From here on somebody should load the value anew; `Infinity` for never. */
  readonly refreshAt: number;
  readonly tags: readonly string[];

  constructor(
    key: string,
    weight: number,
    content: Content,
    times: { readonly expiresAt: number; readonly refreshAt: number },
    tags: readonly string[],
  ) {
    super(key, weight);
    this.content = content;
    this.expiresAt = times.expiresAt;
    this.refreshAt = times.refreshAt;
    this.tags = tags;
  }
}

export class TaggedMap<Content> extends FifoMap<LocalNode<Content>> {
  readonly #tagged = new Map<string, Set<LocalNode<Content>>>();

  /** How many tags have a node. */
  get tags(): number {
    return this.#tagged.size;
  }

  override put(node: LocalNode<Content>): boolean {
    const old = this.find(node.key);
    if (!super.put(node)) return false;
    if (old !== undefined) this.#untag(old);
    for (const tag of node.tags) {
      const nodes = this.#tagged.get(tag);
      if (nodes === undefined) this.#tagged.set(tag, new Set([node]));
      else nodes.add(node);
    }
    return true;
  }

  override delete(node: LocalNode<Content>): void {
    if (node.home !== this) return;
    super.delete(node);
    this.#untag(node);
  }

  /** Called by the queues when they evict. */
  override forget(key: string): void {
    const node = this.find(key);
    super.forget(key);
    if (node !== undefined) this.#untag(node);
  }

  deleteTagged(tag: string): void {
    for (const node of this.#tagged.get(tag) ?? []) this.delete(node);
  }

  #untag(node: LocalNode<Content>): void {
    for (const tag of node.tags) {
      const nodes = this.#tagged.get(tag);
      if (nodes?.delete(node) && nodes.size === 0) this.#tagged.delete(tag);
    }
  }
}
