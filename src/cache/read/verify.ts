/** Measures the cache's own staleness: loads a hit again behind its reader and compares. */

import { isDeepStrictEqual } from 'node:util';
import type { Version } from '../../backend/values.ts';
import { ask, type Question } from '../load/ask.ts';
import { look } from './look.ts';
import type { Found } from '../lookup.ts';
import type { Shelf } from '../shelf.ts';

/** A difference is looked at again after this, in ms: the origin may have changed between the hit and the load. */
const againMs = 1000;

export class Verifier {
  readonly #shelf: Shelf;
  readonly #running = new Set<string>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Emits `inconsistent` if `found` is not what the origin says, twice, while the entry stays as it is. */
  verify(question: Question, found: Found, version: Version): void {
    const { key } = question;
    if (this.#running.has(key)) return;
    this.#running.add(key);
    // Loads that fail tell of themselves; what cannot be compared is not compared.
    const end = () => void this.#running.delete(key);
    const again = () => this.#shelf.behind(this.#confirm(question, found, version).then(end, end));
    const first = this.#begin(question, found).then((agrees) => {
      // In the background: nobody shall have to wait for it at the end.
      if (agrees) end();
      else this.#shelf.clock.after(againMs, again, { background: true });
    }, end);
    this.#shelf.behind(first);
  }

  #begin(question: Question, found: Found): Promise<boolean> {
    const { space, key } = question;
    const { events } = this.#shelf;
    space.counts.verified += 1;
    if (events.observed) events.emit({ type: 'refresh', cache: space.name, key, reason: 'verify' });
    return this.#agrees(question, found.value);
  }

  async #confirm(question: Question, found: Found, version: Version): Promise<void> {
    const { space, key } = question;
    if (this.#shelf.closed) return;
    if (!(await this.#stands(question, version)) || (await this.#agrees(question, found.value))) return;
    // Somebody may have invalidated it during that load: then nothing was wrong.
    if (!(await this.#stands(question, version))) return;
    space.counts.inconsistent += 1;
    this.#shelf.events.emit({ type: 'inconsistent', cache: space.name, key, ageMs: found.ageMs + againMs });
  }

  async #stands({ space, key, policy }: Question, version: Version): Promise<boolean> {
    const looked = await look(space, key, policy.tags);
    return !('failure' in looked) && looked.sight.kind === 'hit' && looked.sight.version === version;
  }

  /** Compares as the cache would give it back: what was loaded goes through the codec too. */
  async #agrees(question: Question, value: unknown): Promise<boolean> {
    const { codec } = question.space.policy;
    const answer = await ask(question, { behind: true });
    if (!answer.storable) return true;
    const { payload, flags } = codec.encode(answer.value, question.key);
    return isDeepStrictEqual(codec.decode(Buffer.from(payload), flags, question.key), value);
  }
}
