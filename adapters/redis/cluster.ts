/** The servers of a Redis Cluster: one lane for each master, found through the slot table of ioredis. */

import type { Health } from '../../src/backend/backend.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { afterAwake } from '../../src/support/awake.ts';
import {
  end,
  keyPrefixOf,
  type ClusterClient,
  type CommandArgument,
  type Connection,
  type Listener,
  type Reply,
} from './client.ts';
import { connectionProblem, isMoving, redirectOf } from './errors.ts';
import { Lane, type LaneOptions } from './lane.ts';
import type { Nodes, Part } from './nodes.ts';
import { slotOf } from './slot.ts';

/** A slot that moves answers with a redirection once, in a race twice. */
const mostRedirects = 5;
const refreshWithinMs = 500;

export class ClusterNodes implements Nodes {
  readonly keyPrefix: string;
  readonly only = undefined;
  readonly #cluster: ClusterClient;
  readonly #owned: boolean;
  readonly #options: LaneOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #listeners: Readonly<Record<string, Listener>>;
  #starting: Promise<void> | undefined;
  #closed = false;
  #problem = 'its slots are not known yet';
  #isDown = false;

  /** @param owned whether the cluster client is ours to close */
  constructor(cluster: ClusterClient, owned: boolean, options: LaneOptions) {
    this.#cluster = cluster;
    this.#owned = owned;
    this.#options = options;
    this.keyPrefix = keyPrefixOf(cluster.options);
    this.#listeners = {
      '+node': (node) => this.#nodeCame(node as Connection),
      '-node': (node) => this.#nodeWent(node as Connection),
      refresh: () => this.#refreshed(),
      error: (error) => this.#noteProblem(error),
      'node error': (error) => this.#noteProblem(error),
      close: () => this.#announceDown(),
    };
    for (const [event, listener] of Object.entries(this.#listeners)) cluster.on(event, listener);
    if (cluster.status === 'wait') cluster.connect().catch((error: unknown) => this.#noteProblem(error));
    if (!this.#knowsSlots()) this.#starting = this.#awaitStart();
  }

  get starting(): Promise<void> | undefined {
    return this.#starting;
  }

  split(keys: readonly string[], lost: (place: number, error: HotshelfError) => void): Part[] {
    const bySlot = new Map<number, Part>();
    for (const [place, key] of keys.entries()) {
      const slot = slotOf(key);
      const known = bySlot.get(slot);
      if (known !== undefined) {
        known.keys.push(key);
        known.places.push(place);
        continue;
      }
      const lane = this.#laneOfSlot(slot);
      if (lane === undefined) lost(place, this.#noOwner());
      else bySlot.set(slot, { lane, keys: [key], places: [place] });
    }
    return [...bySlot.values()];
  }

  async run(key: string, name: string, args: readonly CommandArgument[]): Promise<Reply> {
    await this.#starting;
    const slot = slotOf(key);
    let lane = this.#laneOfSlot(slot);
    let asking = false;
    for (let redirects = 0; ; redirects += 1) {
      if (lane === undefined) throw this.#noOwner();
      try {
        return await lane.run(name, args, asking);
      } catch (error) {
        // Whoever answers with a redirection applied nothing: the command may go elsewhere.
        const redirect = redirectOf(error);
        if (redirect === undefined || redirects === mostRedirects) throw error;
        asking = redirect.ask;
        const refreshed = this.#refresh();
        lane = this.#laneAt(redirect.address);
        if (lane !== undefined) continue;
        await refreshed;
        lane = this.#laneAt(redirect.address) ?? (asking ? undefined : this.#laneOfSlot(slot));
      }
    }
  }

  async runKeys(name: string, keys: readonly string[]): Promise<Reply[]> {
    await this.#starting;
    const failures: HotshelfError[] = [];
    const parts = this.split(keys, (_place, error) => failures.push(error));
    const replies = parts.map(async ({ lane, keys: together }) => {
      try {
        return [await lane.run(name, together)];
      } catch (error) {
        if (!(error instanceof HotshelfError) || !isMoving(error)) throw error;
        return Promise.all(together.map((key) => this.run(key, name, [key])));
      }
    });
    const done = (await Promise.all(replies)).flat();
    const [failure] = failures;
    if (failure !== undefined) throw failure;
    return done;
  }

  async runAnywhere(hint: string, name: string, args: readonly CommandArgument[]): Promise<Reply> {
    await this.#starting;
    const preferred = this.#laneOfSlot(slotOf(hint));
    const lane =
      preferred?.isUp === false ? ([...this.#lanes.values()].find((one) => one.isUp) ?? preferred) : preferred;
    if (lane === undefined) throw this.#noOwner();
    return lane.run(name, args);
  }

  connection(attempt: number, overrides: Readonly<Record<string, unknown>>): Connection | undefined {
    const nodes = this.#cluster.nodes('all');
    const healthy = nodes.filter((node) => this.#lanes.get(keyOf(node))?.isUp !== false);
    const choice = healthy.length > 0 ? healthy : nodes;
    return choice[attempt % Math.max(1, choice.length)]?.duplicate(overrides);
  }

  isMember(connection: Connection): boolean {
    const key = keyOf(connection);
    return this.#cluster.nodes('all').some((node) => keyOf(node) === key);
  }

  async health(): Promise<Health> {
    await this.#starting;
    const owners = new Set<string>();
    for (let slot = 0; slot < 16_384; slot += 1) {
      const owner = this.#cluster.slots[slot]?.[0];
      if (owner === undefined) return { ok: false, latencyMs: 0, reason: this.#problem };
      owners.add(owner);
    }
    const lanes = [...owners].map((owner) => [owner, this.#laneAt(owner)] as const);
    const reports = await Promise.all(
      lanes.map(async ([owner, lane]) => {
        const health = (await lane?.health()) ?? { ok: false, latencyMs: 0, reason: 'there is no connection' };
        return { ...health, owner };
      }),
    );
    const latencyMs = Math.max(...reports.map((report) => report.latencyMs));
    const ill = reports.find((report) => !report.ok);
    return ill === undefined
      ? { ok: true, latencyMs }
      : { ok: false, latencyMs, reason: `${ill.owner}: ${ill.reason ?? 'no answer'}` };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const lane of this.#lanes.values()) lane.close();
    for (const [event, listener] of Object.entries(this.#listeners)) this.#cluster.off(event, listener);
    if (!this.#owned) return;
    this.#cluster.on('error', () => {});
    this.#cluster.on('node error', () => {});
    const nodes = this.#cluster.nodes('all');
    this.#cluster.disconnect();
    for (const node of nodes) end(node);
  }

  #laneOfSlot(slot: number): Lane | undefined {
    const owner = this.#cluster.slots[slot]?.[0];
    const lane = owner === undefined ? undefined : this.#laneAt(owner);
    if (lane === undefined) void this.#refresh();
    return lane;
  }

  /** The lane to `host:port`; made at its first use, if ioredis knows the node. */
  #laneAt(address: string): Lane | undefined {
    const known = this.#lanes.get(address);
    if (known !== undefined || this.#closed) return known;
    const node = this.#cluster.nodes('all').find((one) => keyOf(one) === address);
    if (node === undefined) return undefined;
    const lane = new Lane(address, node, this.#options, () => void this.#refresh());
    this.#lanes.set(address, lane);
    return lane;
  }

  #nodeCame(node: Connection): void {
    this.#lanes.get(keyOf(node))?.attach(node);
  }

  #nodeWent(node: Connection): void {
    this.#lanes.get(keyOf(node))?.drop(node);
    // ioredis makes no new connection to the node before it has read the slots anew.
    void this.#refresh();
  }

  #refreshed(): void {
    const owners = new Set<string>();
    for (const owner of this.#cluster.slots) if (owner?.[0] !== undefined) owners.add(owner[0]);
    for (const [address, lane] of this.#lanes) {
      if (owners.has(address)) continue;
      this.#lanes.delete(address);
      lane.retire();
    }
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#options.onEvent({ type: 'up', server: this.#name() });
  }

  #noteProblem(error: unknown): void {
    this.#problem = connectionProblem(error);
  }

  #announceDown(): void {
    if (this.#isDown || this.#closed) return;
    this.#isDown = true;
    this.#options.onEvent({ type: 'down', server: this.#name(), reason: this.#problem });
  }

  #knowsSlots(): boolean {
    return this.#cluster.slots.length > 0;
  }

  async #awaitStart(): Promise<void> {
    await new Promise<void>((resolve) => {
      const { clock, limits } = this.#options;
      const timer = afterAwake(clock, 2 * (limits.deadlineMaxMs ?? 250), () => resolve());
      this.#cluster.once('refresh', () => {
        timer.cancel();
        resolve();
      });
      this.#cluster.once('close', () => resolve());
    });
    this.#starting = undefined;
    if (!this.#knowsSlots()) this.#announceDown();
  }

  /** Has the slots read anew; resolves when they are, or after a while. ioredis joins concurrent wishes. */
  #refresh(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = afterAwake(this.#options.clock, refreshWithinMs, () => resolve());
      this.#cluster.refreshSlotsCache((error) => {
        timer.cancel();
        if (error !== undefined && error !== null) this.#noteProblem(error);
        resolve();
      });
    });
  }

  #name(): string {
    return 'the cluster';
  }

  #noOwner(): HotshelfError {
    return new HotshelfError(
      'BACKEND_DOWN',
      `The cluster has no server for this key (${this.#problem}); the command was not sent.`,
    );
  }
}

function keyOf(node: Connection): string {
  return `${String(node.options['host'])}:${String(node.options['port'])}`;
}
