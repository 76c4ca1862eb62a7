/** The servers of a Redis Cluster: one lane for each master, found through the slot table of ioredis. */

import type { Health } from '../../src/backend/backend.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { afterAwake } from '../../src/support/awake.ts';
import { end, keyPrefixOf, type ClusterClient, type Connection, type Listener, type Reply } from './client.ts';
import { connectionProblem, isMoving, redirectOf, type Redirect } from './errors.ts';
import { Lane, type LaneOptions } from './lane.ts';
import type { Nodes, Part } from './nodes.ts';
import { publishScript } from './scripts.ts';
import { slotOf, slots } from './slot.ts';
import type { Arguments } from './written.ts';

/** A slot that moves answers with a redirection once, in a race twice. */
const mostRedirects = 5;
const refreshWithinMs = 500;

/** All messages go through the master of this key's slot; nothing is stored under it. */
const meetingKey = 'hs:{hotshelf}';

export class ClusterNodes implements Nodes {
  readonly keyPrefix: string;
  readonly only = undefined;
  readonly #meetingKey: string;
  readonly #meetingSlot: number;
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
    // Within the keys that a user of the server may be bound to; a prefix does not change the slot.
    this.#meetingKey = this.keyPrefix + meetingKey;
    this.#meetingSlot = slotOf(this.#meetingKey);
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

  async run(key: string, name: string, args: Arguments): Promise<Reply> {
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
        lane = await this.#laneAfter(redirect, slot);
      }
    }
  }

  async publish(topic: string, message: string): Promise<Reply> {
    await this.#starting;
    let lane = this.#laneOfSlot(this.#meetingSlot);
    for (let redirects = 0; ; redirects += 1) {
      if (lane === undefined) throw this.#noOwner();
      try {
        // Not by its hash: a second try would come after messages that were published later.
        return await lane.run('eval', [publishScript.source, 1, this.#meetingKey, topic, message]);
      } catch (error) {
        const redirect = redirectOf(error);
        if (redirect === undefined || redirects === mostRedirects) throw error;
        if (redirect.ask) return this.#publishWhileMoving(lane, topic, message);
        lane = await this.#laneAfter(redirect, this.#meetingSlot);
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

  async masters(): Promise<readonly Lane[]> {
    await this.#starting;
    const lanes = new Set<Lane>();
    let last: string | undefined;
    for (let slot = 0; slot < slots; slot += 1) {
      const owner = this.#cluster.slots[slot]?.[0];
      if (owner !== undefined && owner === last) continue;
      last = owner;
      const lane = this.#laneOfSlot(slot);
      if (lane === undefined) throw this.#noOwner();
      lanes.add(lane);
    }
    return [...lanes];
  }

  connection(attempt: number, overrides: Readonly<Record<string, unknown>>): Connection | undefined {
    // What was lost, or could not be had, may have moved.
    if (attempt > 0) void this.#refresh();
    const owner = this.#cluster.slots[this.#meetingSlot]?.[0];
    return this.#cluster
      .nodes('all')
      .find((node) => keyOf(node) === owner)
      ?.duplicate(overrides);
  }

  async isMeetingPoint(connection: Connection): Promise<boolean> {
    const lane = this.#laneAt(keyOf(connection));
    return lane !== undefined && this.#ownsMeetingSlot(lane);
  }

  async health(): Promise<Health> {
    await this.#starting;
    const owners = new Set<string>();
    for (let slot = 0; slot < slots; slot += 1) {
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

  /**
   * A node that hands the slot over redirects every key that it no longer has, and is the owner still. The script is of no
   * use then; that no message went through a node that was not the owner is seen afterwards.
   */
  async #publishWhileMoving(lane: Lane, topic: string, message: string): Promise<Reply> {
    const [reached, isOwner] = await Promise.all([
      lane.run('publish', [topic, message]),
      this.#ownsMeetingSlot(lane).catch(() => false),
    ]);
    if (isOwner) return reached;
    throw new HotshelfError(
      'OUTCOME_UNKNOWN',
      'The slot that messages go through moved to another server; the message may or may not have been heard.',
    );
  }

  /** Asks the server itself. */
  async #ownsMeetingSlot(lane: Lane): Promise<boolean> {
    try {
      await lane.run('exists', [this.#meetingKey]);
      return true;
    } catch (error) {
      const redirect = redirectOf(error);
      if (redirect === undefined) throw error;
      if (!redirect.ask) void this.#refresh();
      return redirect.ask;
    }
  }

  /** Where a redirection leads. */
  async #laneAfter({ address, ask }: Redirect, slot: number): Promise<Lane | undefined> {
    const refreshed = this.#refresh();
    const known = this.#laneAt(address);
    if (known !== undefined) return known;
    await refreshed;
    return this.#laneAt(address) ?? (ask ? undefined : this.#laneOfSlot(slot));
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
