/** Tells the processes that change the same group of each other: who only ever wins would never know. */

import type { Values } from '../../../src/backend/values.ts';
import { BoundedMap } from '../../../src/support/bounded-map.ts';
import type { Clock } from '../../../src/support/clock.ts';

/** How long a word is heard, in ms; it is said again in half of that. */
const heardMs = 1000;
const groupsKept = 256;

/**
 * A process that changes a group without a pause, from the state that it stored last, wins each time: another one that has to
 * read first comes too late, always. So who loses leaves a word beside the group, and who wins looks for it in the trip that it
 * makes anyway. A word that is lost, or heard too long, costs a pause and no more.
 */
export class Crowd {
  readonly #values: Pick<Values, 'get' | 'set'>;
  readonly #clock: Clock;
  readonly #saidAt = new BoundedMap<string, number>(groupsKept);

  constructor(values: Pick<Values, 'get' | 'set'>, clock: Clock) {
    this.#values = values;
    this.#clock = clock;
  }

  /** How long a round takes for somebody who lost, in ms; 0 if nobody said so. Never rejects. */
  async listen(key: string): Promise<number> {
    try {
      const word = await this.#values.get(wordKeyOf(key));
      const ms = word === undefined ? 0 : Number(Buffer.from(word.bytes).toString('latin1'));
      return ms > 0 && ms < Infinity ? ms : 0;
    } catch {
      return 0;
    }
  }

  /** Says that this process lost, and that a round takes `roundMs` here. */
  say(key: string, roundMs: number): void {
    const now = this.#clock.monotonic();
    if (now - (this.#saidAt.get(key) ?? -Infinity) < heardMs / 2) return;
    this.#saidAt.set(key, now);
    this.#values.set(wordKeyOf(key), Buffer.from(String(Math.ceil(roundMs)), 'latin1'), heardMs).catch(() => {});
  }
}

function wordKeyOf(key: string): string {
  return `${key}!`;
}
