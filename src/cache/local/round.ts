/** Collects the answers to one announcement, and says when everybody has answered who could still serve the old value. */

import type { Members } from './members.ts';

export class Round {
  readonly #members: Members;
  readonly #generation: number;
  readonly #names = new Set<string>();
  readonly #connections = new Set<string>();
  #heard = false;
  /** Who must answer, if that is known. */
  #required: readonly string[] | undefined;
  #count = Infinity;
  #onDone = () => {};
  #done = false;

  constructor(members: Members) {
    this.#members = members;
    this.#generation = members.generation;
  }

  /** Everybody has answered. */
  get done(): boolean {
    return this.#done;
  }

  /** Every subscription that the announcement was given to has answered, and no hello was missed meanwhile. */
  get isCensus(): boolean {
    return this.#heard && this.#connections.size >= this.#count && this.#members.generation === this.#generation;
  }

  /** The announcement was given to `count` subscriptions; `onDone` is called once everybody has answered. */
  published(count: number, onDone: () => void): void {
    this.#count = count;
    this.#onDone = onDone;
    this.#look();
  }

  /** The announcer itself has heard the announcement, and so every hello that came before it. */
  heard(): void {
    this.#heard = true;
    if (this.#members.complete) this.#required = [...this.#members.names];
  }

  answered(name: string, connection: string): void {
    this.#names.add(name);
    this.#connections.add(connection);
    this.#look();
  }

  #look(): void {
    if (this.#done || this.#required === undefined || !this.isCensus) return;
    this.#done = this.#required.every((name) => this.#names.has(name));
    if (this.#done) this.#onDone();
  }
}
