/** Watches the top of one window for all who want to see it, with one look for all of them. */

import type { Clock, Timer } from '../../support/clock.ts';
import { Emitter } from '../../support/emitter.ts';
import { HotshelfError } from '../../support/errors.ts';
import type { LiveRules } from '../options.ts';
import type { BoardPage, BoardRow } from '../rows.ts';
import { diffTops, type TopChange } from './diff.ts';
import { Hearing } from './hearing.ts';

export interface LiveTopParts<Meta> {
  readonly rules: LiveRules;
  readonly topic: string;
  readonly clock: Clock;
  /** The first `count` members of the window that it is now. */
  readonly read: (count: number) => Promise<BoardPage<Meta>>;
  /** When the window of now ends, in epoch ms: then the top is another one without a submit. */
  readonly endsAt: () => number;
}

interface Watcher<Meta> {
  readonly size: number;
  readonly changes: Emitter<TopChange<Meta>>;
  readonly problems: Emitter<unknown>;
  /** What it was told last. */
  rows: readonly BoardRow<Meta>[] | undefined;
}

/** While changes are heard, one that nobody told of is seen after so many polls. */
const quietPolls = 10;

export class LiveTop<Meta> {
  readonly #parts: LiveTopParts<Meta>;
  readonly #watchers = new Set<Watcher<Meta>>();
  #hearing: Hearing | undefined;
  #timer: Timer | undefined;
  /** When the timer fires, and when the store was asked last, by the monotonic clock. */
  #dueAt = Infinity;
  #lookedAt = -Infinity;
  #looking = false;
  #again = false;

  constructor(parts: LiveTopParts<Meta>) {
    this.#parts = parts;
  }

  /** Tells `listener` of the first `size` members at once, and then of what changes; the returned function ends that. */
  watch(size: number, listener: (change: TopChange<Meta>) => void, onProblem: (error: unknown) => void): () => void {
    const watcher: Watcher<Meta> = { size, changes: new Emitter(), problems: new Emitter(), rows: undefined };
    watcher.changes.on(listener);
    watcher.problems.on(onProblem);
    this.#watchers.add(watcher);
    this.#hearing ??= this.#listen();
    this.#lookIn(0, { background: false });
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.close();
    };
  }

  close(): void {
    this.#watchers.clear();
    this.#hearing?.close();
    this.#hearing = undefined;
    this.#timer?.cancel();
    this.#dueAt = Infinity;
  }

  #listen(): Hearing | undefined {
    const { rules, topic, clock } = this.#parts;
    if (rules.bus === undefined) return undefined;
    return new Hearing({
      bus: rules.bus,
      topic,
      clock,
      onChange: () => this.#lookSoon(),
      onLost: () => this.#lookIn(rules.pollMs),
      onProblem: (error) => this.#report(error),
    });
  }

  /** Looks as soon as `every` allows. */
  #lookSoon(): void {
    const { rules, clock } = this.#parts;
    this.#lookIn(this.#lookedAt + rules.everyMs - clock.monotonic(), { background: false });
  }

  /** Looks after `ms`, unless a look is due sooner. A look for nothing that is known keeps no process alive. */
  #lookIn(ms: number, options = { background: true }): void {
    const { clock } = this.#parts;
    const dueAt = clock.monotonic() + Math.max(0, ms);
    if (this.#watchers.size === 0 || dueAt >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    this.#timer = clock.after(dueAt - clock.monotonic(), () => void this.#look(), options);
  }

  async #look(): Promise<void> {
    const { clock, read, endsAt } = this.#parts;
    this.#dueAt = Infinity;
    // What has changed during a look, it may not have seen.
    this.#again = this.#looking;
    if (this.#looking) return;
    this.#looking = true;
    this.#lookedAt = clock.monotonic();
    try {
      const windowEndsAt = endsAt();
      const count = Array.from(this.#watchers).reduce((most, { size }) => Math.max(most, size), 1);
      const { rows } = await read(count);
      this.#tell(rows, count);
      this.#lookIn(Math.min(this.#restMs(), windowEndsAt - clock.now()));
    } catch (error) {
      // A store that is closed does not come back; any other may.
      if (error instanceof HotshelfError && error.code === 'CLOSED') return;
      this.#report(error);
      this.#lookIn(this.#parts.rules.pollMs);
    } finally {
      this.#looking = false;
      if (this.#again) this.#lookSoon();
    }
  }

  #restMs(): number {
    const { pollMs } = this.#parts.rules;
    return this.#hearing?.live === true ? quietPolls * pollMs : pollMs;
  }

  /** @param count how many rows were asked for: who came meanwhile and wants more waits for the next look */
  #tell(top: readonly BoardRow<Meta>[], count: number): void {
    for (const watcher of this.#watchers) {
      if (watcher.size > count) continue;
      const rows = top.slice(0, watcher.size);
      const change = diffTops(watcher.rows ?? [], rows);
      const isFirst = watcher.rows === undefined;
      watcher.rows = rows;
      if (change !== undefined || isFirst) watcher.changes.emit(change ?? { rows, entered: [], left: [], moved: [] });
    }
  }

  #report(error: unknown): void {
    for (const { problems } of this.#watchers) problems.emit(error);
  }
}
