/** Tells an ear what it was promised, each thing once; what fails in it harms no answer. */

import type { Answered } from './answered.ts';
import type { Course, Ear, LossReason } from './ear.ts';

export class QuietEar {
  /** The ear has heard `end` or `lost`, or is to hear nothing more. */
  settled = false;
  cookieAdded = false;
  readonly #ear: Ear;

  constructor(ear: Ear) {
    this.#ear = ear;
  }

  head(answered: Answered, body: Buffer | undefined): Course {
    let course: Course | undefined;
    this.#tell(() => {
      course = this.#ear.head(answered, body);
    });
    return course ?? 'pass';
  }

  /** Returns whether the ear has taken the whole answer. */
  end(body: Buffer): boolean {
    this.settled = true;
    return this.#tell(() => this.#ear.end(body));
  }

  lost(why: LossReason): void {
    if (this.settled) return;
    this.settled = true;
    this.#tell(() => this.#ear.lost(why));
  }

  cookie(): void {
    this.cookieAdded = true;
    this.#tell(() => this.#ear.cookie?.());
  }

  #tell(what: () => void): boolean {
    try {
      what();
      return true;
    } catch (error) {
      process.emitWarning(`Listening to an answer failed: ${String(error)}`, { code: 'HOTSHELF_CAPTURE' });
      return false;
    }
  }
}
