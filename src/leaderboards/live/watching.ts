/** Tells of changes to a board, and lets others watch them. */

import type { BoardKeys } from '../keys.ts';
import type { LeaderboardRules } from '../options.ts';
import type { Places } from '../reading/places.ts';
import type { WindowKind } from '../time/windows.ts';
import { LiveTop } from './live-top.ts';
import { Pulse } from './pulse.ts';

export class Watching<Meta> {
  readonly #rules: LeaderboardRules;
  readonly #keys: BoardKeys;
  readonly #places: Places<Meta>;
  readonly #pulse: Pulse | undefined;
  readonly #tops = new Map<WindowKind, LiveTop<Meta>>();

  constructor(rules: LeaderboardRules, keys: BoardKeys, places: Places<Meta>) {
    this.#rules = rules;
    this.#keys = keys;
    this.#places = places;
    const { bus, everyMs } = rules.live;
    if (bus !== undefined) this.#pulse = new Pulse({ bus, topic: keys.topic, everyMs, clock: rules.clock });
  }

  /** Something has changed. */
  changed(): void {
    this.#pulse?.beat();
  }

  /** The top of a window, as all watch it. */
  top(kind: WindowKind): LiveTop<Meta> {
    const known = this.#tops.get(kind);
    if (known !== undefined) return known;
    const top = new LiveTop<Meta>({
      rules: this.#rules.live,
      topic: this.#keys.topic,
      clock: this.#rules.clock,
      read: (count) => this.#places.at({ window: kind }).latest(count),
      endsAt: () => this.#places.slot({ window: kind }).end,
    });
    this.#tops.set(kind, top);
    return top;
  }

  close(): void {
    this.#pulse?.close();
    for (const top of this.#tops.values()) top.close();
  }
}
