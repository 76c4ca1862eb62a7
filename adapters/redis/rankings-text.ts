/** Reads what the scripts of rankings answer: one text, byte by byte. */

import type { RankingEntry, RankingRules } from '../../src/backend/rankings.ts';
import type { Reply } from './client.ts';
import { fenceByte, stampDigits, stampOf } from './rankings-lua.ts';

/** Returns `undefined` if the reply is no text. */
export function readerOf(reply: Reply): Reader | undefined {
  return Buffer.isBuffer(reply) ? new Reader(reply) : undefined;
}

const [minus, digit0, digit9] = [0x2d, 0x30, 0x39];

export class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #broken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** True if everything was read, and was what it should be. */
  get isOver(): boolean {
    return this.#at === this.#bytes.length && !this.#broken;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length && !this.#broken;
  }

  /** Reads a number, and the mark behind it. */
  number(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    const first = bytes[start] === minus ? start + 1 : start;
    let at = first;
    let value = 0;
    // As far as these go, they are exact; anything else is left to the language.
    for (; at < first + 15; at += 1) {
      const digit = bytes[at] ?? 0;
      if (digit < digit0 || digit > digit9) break;
      value = value * 10 + (digit - digit0);
    }
    if (at > first && isMark(bytes[at] ?? 0)) {
      this.#at = at + 1;
      return first === start ? value : 0 - value;
    }
    while (at < bytes.length && !isMark(bytes[at] ?? 0)) at += 1;
    const number = Number(bytes.toString('latin1', start, at));
    if (at === start || !Number.isFinite(number)) this.#broken = true;
    this.#at = at + 1;
    return number;
  }

  /** Reads a number, or `null` where there is none. */
  optional(): number | null {
    if (!isMark(this.#bytes[this.#at] ?? 0)) return this.number();
    this.#at += 1;
    return null;
  }

  /** Reads a text up to the next mark. */
  word(): string {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    while (at < bytes.length && !isMark(bytes[at] ?? 0)) at += 1;
    this.#at = at + 1;
    return bytes.toString('latin1', start, at);
  }

  /** Reads an element and its score, and the fences behind them. */
  entry(rules: Pick<RankingRules, 'order' | 'ties'>): RankingEntry {
    const bytes = this.#bytes;
    let start = this.#at;
    const end = bytes.indexOf(fenceByte, start);
    if (end === -1) this.#broken = true;
    let reached = 0;
    if (rules.ties === 'earliest') {
      reached = stampOf(rules, Number(bytes.toString('latin1', start, start + stampDigits)));
      start += stampDigits;
    }
    const member = bytes.toString('utf8', start, end);
    this.#at = end + 1;
    return { member, score: this.number(), reached };
  }
}

/** `,`, `;` or a fence. */
function isMark(byte: number): boolean {
  return byte === 0x2c || byte === 0x3b || byte === fenceByte;
}
