/** Says which server keeps a key: a consistent hash, so that one server more or less moves only its own share. */

const pointsPerWeight = 160;

export interface RingMember {
  /** Names the member in all processes alike. */
  readonly server: string;
  /** Its share of the keys, in proportion to the others'. */
  readonly weight: number;
}

/**
 * A ring like ketama's, with 160 points a member and weight. The order of the members does not matter. Adding a fourth
 * member to three moves about a quarter of the keys, all of them to the new one.
 */
export class Ring {
  readonly #points: Uint32Array;
  /** The index of the member that owns the point at the same place. */
  readonly #owners: Uint16Array;

  constructor(members: readonly RingMember[]) {
    const points: { at: number; owner: number; name: string }[] = [];
    for (const [owner, { server, weight }] of members.entries()) {
      for (let index = 0; index < pointsPerWeight * weight; index += 1) {
        points.push({ at: hash(`${server}-${index}`), owner, name: server });
      }
    }
    // Where two points meet, the name decides, so that every process decides alike.
    points.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
    this.#points = Uint32Array.from(points, (point) => point.at);
    this.#owners = Uint16Array.from(points, (point) => point.owner);
  }

  /** Returns the index of the member that keeps `key`. */
  find(key: string): number {
    const wanted = hash(key);
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#points[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return this.#owners[low] ?? this.#owners[0] ?? 0;
  }
}

/** FNV-1a over the characters, then the last step of murmur3, which spreads keys that differ only in their last digits. */
function hash(text: string): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x01000193);
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
