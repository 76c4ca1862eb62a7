/** Estimates how many different things there were, in a space that does not grow with them: HyperLogLog. */

// Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog" (2007); the estimate is that of Ertl, "New cardinality estimation
// algorithms for HyperLogLog sketches" (2017), algorithm 6, which needs no table and no special cases for few or many.

import { hash64, type Halves } from './hash64.ts';

/** 2^14 registers: the standard error is 0.81 %. */
const indexBits = 14;
export const registerCount = 2 ** indexBits;
/** A hash has 53 bits, which a number holds exactly: 32 high ones and 21 low ones. */
const lowBits = 21;
const restBits = 32 - indexBits + lowBits;

const halves: Halves = new Uint32Array(2);

/** Returns the hash of a text, a whole number of 53 bits: for `HyperLogLog.add`, or to be kept in a set while there are few. */
export function hashText(text: string): number {
  hash64(text, halves);
  return (halves[0] ?? 0) * 2 ** lowBits + ((halves[1] ?? 0) >>> (32 - lowBits));
}

export class HyperLogLog {
  readonly #registers = new Uint8Array(registerCount);

  /** Notes what has `hash`, from `hashText`. */
  add(hash: number): void {
    const high = Math.floor(hash / 2 ** lowBits);
    const index = high >>> (32 - indexBits);
    const zeros = leadingZeros(high << indexBits, hash % 2 ** lowBits);
    if ((this.#registers[index] ?? 0) <= zeros) this.#registers[index] = zeros + 1;
  }

  /** Notes all that `other` noted. */
  merge(other: HyperLogLog): void {
    for (const [index, rank] of other.#registers.entries())
      if ((this.#registers[index] ?? 0) < rank) this.#registers[index] = rank;
  }

  /** Returns how many there were, with a standard error of 0.81 %. */
  count(): number {
    const share = Array.from({ length: restBits + 2 }, () => 0);
    for (const rank of this.#registers) share[rank] = (share[rank] ?? 0) + 1 / registerCount;
    let sum = tau(1 - (share[restBits + 1] ?? 0));
    for (let rank = restBits; rank > 0; rank -= 1) sum = (sum + (share[rank] ?? 0)) / 2;
    sum += sigma(share[0] ?? 0);
    return Math.round(registerCount / (2 * Math.LN2 * sum));
  }
}

function leadingZeros(rest: number, low: number): number {
  if (rest !== 0) return Math.clz32(rest);
  return 32 - indexBits + (low === 0 ? lowBits : Math.clz32(low << (32 - lowBits)));
}

/** x + the sum of x^(2^k) 2^(k-1): what the registers that nothing came to add; all of them for no thing at all. */
function sigma(x: number): number {
  if (x === 1) return Infinity;
  let [sum, before, weight] = [x, -1, 1];
  while (sum !== before) {
    x *= x;
    before = sum;
    sum += x * weight;
    weight *= 2;
  }
  return sum;
}

/** What the registers that cannot grow any more take off. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let [sum, before, weight] = [1 - x, -1, 1];
  while (sum !== before) {
    x = Math.sqrt(x);
    before = sum;
    weight /= 2;
    sum -= (1 - x) ** 2 * weight;
  }
  return sum / 3;
}
