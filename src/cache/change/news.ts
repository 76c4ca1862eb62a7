/** Tells local tiers, this process's own and those of others, what is no longer true. */

import type { Subscription } from '../../backend/bus.ts';
import { sleep, type Timer } from '../../support/clock.ts';
import { durationMs } from '../../support/duration.ts';
import { HotshelfError } from '../../support/errors.ts';
import { Announcements, fenceMs } from '../local/announcements.ts';
import type { Drop } from '../local/message.ts';
import { localDefaults } from '../local/options.ts';
import type { Shelf } from '../shelf.ts';

/** These marks can follow the prefix of a namespace: see the grammar of keys. */
const marks = ['=', ':', '$', '/'];
const retryMs = 1000;

export class News {
  readonly #shelf: Shelf;
  readonly #announcements: Announcements | undefined;
  readonly #maxLagMs: number;
  #changes: Subscription | undefined;
  #retry: Timer | undefined;

  constructor(shelf: Shelf, announces: boolean) {
    this.#shelf = shelf;
    const { backend, clock, prefix, local, values } = shelf;
    this.#maxLagMs = local?.maxLagMs ?? durationMs(localDefaults.maxLag, 'maxLag');
    if (!announces || backend.bus === undefined || values.resident !== undefined) return;
    this.#announcements = new Announcements({ bus: backend.bus, clock, prefix, maxLagMs: this.#maxLagMs });
    if (shelf.tier !== undefined) this.#listen(shelf.tier);
    if (local?.tracking === true) void this.#watchChanges();
  }

  /** Drops what this process holds. */
  dropHere(drop: Drop): void {
    this.#shelf.tier?.drop(drop);
  }

  /**
   * Tells everybody; to be called when the backend has confirmed. With `ack` resolves when no local tier anywhere serves it any
   * more. Rejects as the backend does.
   */
  async tell(drop: Drop, ack = this.#shelf.local?.ack ?? false): Promise<void> {
    this.dropHere(drop);
    if (this.#announcements !== undefined) await this.#announcements.announce(drop, { ack });
    else if (ack && this.#shelf.values.resident === undefined) await sleep(this.#shelf.clock, fenceMs(this.#maxLagMs));
  }

  async close(): Promise<void> {
    this.#retry?.cancel();
    this.#shelf.tier?.distrust();
    await Promise.allSettled([this.#announcements?.close(), this.#changes?.close()]);
  }

  #listen(tier: NonNullable<Shelf['tier']>): void {
    this.#announcements?.listen({
      onDrop: (drop) => tier.drop(drop),
      onGap: (state) => {
        tier.distrust();
        this.#shelf.events.emit({ type: 'gap', cache: 'default', state });
      },
      onProbe: (sentAgoMs) => tier.trust(sentAgoMs),
      onProblem: (error) => this.#noteProblem(error),
    });
  }

  async #watchChanges(): Promise<void> {
    const { tier, values, prefix, clock, closed } = this.#shelf;
    if (tier === undefined || values.changes === undefined || closed) return;
    try {
      this.#changes = await values.changes.watch(prefix, (keys) => tier.drop(dropOf(keys)), {
        probeEveryMs: this.#maxLagMs / 3,
        onProbe: (sentAgoMs) => tier.trust(sentAgoMs, 'changes'),
        onGap: (state) => {
          tier.distrust('changes');
          this.#shelf.events.emit({ type: 'gap', cache: 'default', state });
        },
      });
      if (this.#shelf.closed) await this.#changes.close();
    } catch (error) {
      this.#noteProblem(error);
      this.#retry = clock.after(retryMs, () => void this.#watchChanges(), { background: true });
    }
  }

  #noteProblem(error: unknown): void {
    if (!(error instanceof HotshelfError)) throw error;
    this.#shelf.events.emit({ type: 'failed', cache: 'default', key: '', error });
  }
}

/** What a change of these keys makes untrue; they are entries, stamps of tags, epochs, and others that no copy depends on. */
function dropOf(keys: readonly string[] | undefined): Drop {
  if (keys === undefined) return { prefixes: [''] };
  const epochs = keys.filter((key) => key.endsWith('!epoch')).map((key) => key.slice(0, -'!epoch'.length));
  return { keys, tags: keys, prefixes: epochs.flatMap(under) };
}

/** Returns the prefixes of all keys of a namespace and those inside it. */
export function under(prefix: string): string[] {
  return marks.map((mark) => prefix + mark);
}
