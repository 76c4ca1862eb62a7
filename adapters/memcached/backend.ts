/** Puts servers, facets and events together to one backend. */

import type { BackendEvent, BackendWith, Health } from '../../src/backend/backend.ts';
import { Emitter } from '../../src/support/emitter.ts';
import { ServerClient } from './client.ts';
import { Cluster } from './cluster.ts';
import { MemcachedCounters } from './counters.ts';
import { MemcachedLimits } from './limits.ts';
import type { Settings } from './options.ts';
import { MemcachedRankings } from './rankings.ts';
import { MemcachedValues } from './values.ts';

export class MemcachedBackend implements BackendWith<'values' | 'counters' | 'limits' | 'rankings'> {
  readonly name = 'memcached';
  readonly values: MemcachedValues;
  readonly counters: MemcachedCounters;
  readonly limits: MemcachedLimits;
  readonly rankings: MemcachedRankings;
  readonly #cluster: Cluster;
  readonly #events = new Emitter<BackendEvent>();
  readonly #monotonic: () => number;

  constructor(settings: Settings) {
    const { servers, clock, warning } = settings;
    const onEvent = (event: BackendEvent) => this.#events.emit(event);
    this.#cluster = new Cluster(
      servers.map(({ host, port, weight }) => ({
        weight,
        client: new ServerClient({ ...settings, host, port, onEvent }),
      })),
      settings.maxValueBytes,
    );
    this.values = new MemcachedValues(this.#cluster, clock);
    this.counters = new MemcachedCounters(this.#cluster, clock);
    this.limits = new MemcachedLimits(this.#cluster, this.values, clock, settings.blockLocally);
    // The keys of its values are made of checked ones.
    const longKeyed = new MemcachedValues(this.#cluster, clock, () => {});
    this.rankings = new MemcachedRankings(longKeyed, clock, settings.maxBoardMembers);
    this.#monotonic = () => clock.monotonic();
    // A turn later: who made the backend had the time to watch it.
    if (warning !== undefined) clock.turn(() => this.#warn(warning));
  }

  async health(): Promise<Health> {
    const startedAt = this.#monotonic();
    const outcomes = await Promise.allSettled(this.#cluster.clients.map((client) => client.ping()));
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [reasonOf(outcome.reason)] : []));
    const latencyMs = this.#monotonic() - startedAt;
    return reasons.length === 0 ? { ok: true, latencyMs } : { ok: false, latencyMs, reason: reasons.join(' ') };
  }

  watch(listener: (event: BackendEvent) => void): () => void {
    return this.#events.on(listener);
  }

  close(): Promise<void> {
    this.limits.close();
    for (const client of this.#cluster.clients) client.close();
    return Promise.resolve();
  }

  #warn(message: string): void {
    if (this.#events.observed) this.#events.emit({ type: 'warning', message });
    else process.emitWarning(message, { code: 'HOTSHELF_MEMJS_CLIENT' });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
