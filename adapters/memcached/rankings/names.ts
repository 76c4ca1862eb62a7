/** The members of all boards of a group, each once: a board holds their numbers only. */

import { compareMembers } from '../../../src/backend/rankings/order.ts';

/** Numbers names anew: what each number becomes. */
export type Renumbering = Uint32Array;

/**
 * Names in the order of the bytes of their UTF-8, as they are stored, and behind them those that were added since, in no order.
 *
 * They stay bytes until somebody asks for their text: most of a board is read by nobody.
 */
export class Names {
  readonly texts: Buffer;
  /** Where each of the stored names begins, and where the last one ends. */
  readonly #starts: Uint32Array;
  readonly #added: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** @param starts one more than there are names */
  constructor(texts: Buffer, starts: Uint32Array) {
    this.texts = texts;
    this.#starts = starts;
  }

  /** How many of them are stored, in their order. */
  get stored(): number {
    return this.#starts.length - 1;
  }

  get size(): number {
    return this.stored + this.#added.length;
  }

  /** The same names without those that were added. */
  original(): Names {
    return new Names(this.texts, this.#starts);
  }

  /** Returns the number of a member, or -1. */
  find(member: string): number {
    const bytes = Buffer.from(member);
    const number = this.#place(bytes);
    if (number < this.stored && this.#compare(number, bytes) === 0) return number;
    return this.#numbers.get(member) ?? -1;
  }

  /** Returns the number of a member, which it has from now on if it had none. */
  add(member: string): number {
    const found = this.find(member);
    if (found !== -1) return found;
    const number = this.size;
    this.#added.push(member);
    this.#numbers.set(member, number);
    return number;
  }

  textOf(number: number): string {
    if (number >= this.stored) return this.#added[number - this.stored] ?? '';
    return this.texts.toString('utf8', this.#starts[number] ?? 0, this.#starts[number + 1] ?? 0);
  }

  bytesOf(number: number): number {
    if (number >= this.stored) return Buffer.byteLength(this.#added[number - this.stored] ?? '');
    return (this.#starts[number + 1] ?? 0) - (this.#starts[number] ?? 0);
  }

  /** Returns the names that are in use, all of them in their order, and what their numbers become. */
  packed(used: Uint8Array): { names: Names; numbers: Renumbering } {
    const pieces: Buffer[] = [];
    const numbers = new Uint32Array(this.size);
    const starts = new Uint32Array(this.size + 1);
    let count = 0;
    const take = (number: number) => {
      numbers[number] = count;
      starts[count + 1] = (starts[count] ?? 0) + this.bytesOf(number);
      count += 1;
    };
    /** Stored names that follow each other are taken in one piece. */
    const takeStored = (from: number, to: number) => {
      for (let number = from; number < to; number += 1) {
        const first = number;
        for (; number < to && used[number] === 1; number += 1) take(number);
        pieces.push(this.texts.subarray(this.#starts[first], this.#starts[number]));
      }
    };
    let from = 0;
    for (const { member, number } of this.#addedInOrder(used)) {
      const bytes = Buffer.from(member);
      const place = this.#place(bytes);
      takeStored(from, place);
      take(number);
      pieces.push(bytes);
      from = place;
    }
    takeStored(from, this.stored);
    return { names: new Names(Buffer.concat(pieces), starts.slice(0, count + 1)), numbers };
  }

  #addedInOrder(used: Uint8Array): { member: string; number: number }[] {
    return this.#added
      .map((member, index) => ({ member, number: this.stored + index }))
      .filter(({ number }) => used[number] === 1)
      .sort((a, b) => compareMembers(a.member, b.member));
  }

  /** How many of the stored names come before `bytes`. */
  #place(bytes: Uint8Array): number {
    let [low, high] = [0, this.stored];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, bytes) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compare(number: number, bytes: Uint8Array): number {
    return this.texts.compare(bytes, 0, bytes.length, this.#starts[number], this.#starts[number + 1]);
  }
}
