/** Collects the answers to one announcement, and says when everybody has answered who could still serve the old value. */

import type { Members } from './members.ts';

export class Round {
  readonly #members: Members;
  readonly #answers = new Set<string>();
  /** Who must answer, if that is known. */
  #required: readonly string[] | undefined;
  #onDone = () => {};
  #done = false;

  constructor(members: Members) {
    this.#members = members;
  }

  /** Calls `onDone` once everybody has answered, at once if they have. */
  whenDone(onDone: () => void): void {
    if (this.#done) onDone();
    else this.#onDone = onDone;
  }

  /** True if it was known who had to answer, and one of them has not. */
  get hasSilent(): boolean {
    return this.#required !== undefined && !this.#done;
  }

  /** The announcer itself has heard the announcement, and so every hello that the server took before it. */
  heard(): void {
    if (this.#members.complete) this.#required = this.#members.names;
  }

  answered(name: string): void {
    this.#answers.add(name);
    if (this.#done || this.#required === undefined) return;
    this.#done = this.#required.every((each) => this.#answers.has(each));
    if (this.#done) this.#onDone();
  }
}
