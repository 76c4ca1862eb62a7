/** Remembers which keys were evicted lately, by their hashes and in bounded memory. */

/**
 * Remembers the hashes of the last evictions, as many as are asked for: a table with the time of each, in pairs of slots
 * of which the older is overwritten. It may forget a few; two keys with one hash only cost a better place than deserved.
 */
export class Ghosts {
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
export function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) | 0 || 1;
}
