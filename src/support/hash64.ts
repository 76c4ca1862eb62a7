/** Hashes a string to 64 bits, fast and well mixed; for checks against mistakes, not against an attacker. */

/** Two 32-bit halves, written into `halves[0]` and `halves[1]`. */
export type Halves = Uint32Array;

/** Multiply-xor over the characters in two lanes, then the finalizer of MurmurHash3 on each. */
export function hash64(text: string, halves: Halves): void {
  let a = 0x9e3779b9 ^ text.length;
  let b = 0x85ebca6b;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x5bd1e995);
    b = (b << 13) | (b >>> 19);
  }
  halves[0] = finish(a ^ (b >>> 7));
  halves[1] = finish(b ^ Math.imul(a, 0x27d4eb2f));
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
