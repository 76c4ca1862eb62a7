/** The bounded store that all facets of one memory backend share: its queues, its end, and the sweep of what expired. */

import type { Clock, Timer } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { FifoNode, S3Fifo, type FifoBounds, type FifoMap } from '../../src/support/s3-fifo.ts';

/** Anything that is stored under a key until its time. */
export class Cell extends FifoNode {
  /** Epoch ms, or `Infinity`. */
  expiresAt: number;

  constructor(key: string, weight: number, expiresAt: number) {
    super(key, weight);
    this.expiresAt = expiresAt;
  }
}

const sweepEveryMs = 1000;
/** Sweeps follow each other this fast while they find much. */
const busySweepEveryMs = 10;
/** A sweep visits at least so many cells, else a sixtieth of all, and never more than the most. */
const sweepLeast = 1000;
const sweepMost = 20_000;

export class Store {
  readonly clock: Clock;
  readonly queues: S3Fifo<Cell>;
  #closed = false;
  #sweeper: Timer | undefined;
  /** True if this lap of the sweep met a cell that will expire, or one was stored meanwhile. */
  #mortals = false;

  constructor(bounds: FifoBounds, clock: Clock) {
    this.clock = clock;
    this.queues = new S3Fifo(bounds);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws {HotshelfError} `CLOSED` */
  checkOpen(): void {
    if (this.#closed) throw new HotshelfError('CLOSED', 'The memory backend was closed by its user.');
  }

  /** Returns the live cell of `key` and counts a use; deletes an expired one. */
  get<Kind extends Cell>(map: FifoMap<Kind>, key: string): Kind | undefined {
    return this.#alive(map, map.get(key));
  }

  /** As `get`, without counting a use. */
  find<Kind extends Cell>(map: FifoMap<Kind>, key: string): Kind | undefined {
    return this.#alive(map, map.find(key));
  }

  /** Stores a cell and sees to it that it is swept. */
  put<Kind extends Cell>(map: FifoMap<Kind>, cell: Kind): void {
    map.put(cell);
    this.sweepLater(cell);
  }

  /** To be called when a cell got another time. */
  sweepLater(cell: Cell): void {
    if (cell.expiresAt === Infinity) return;
    this.#mortals = true;
    if (this.#sweeper === undefined) this.#arm(sweepEveryMs);
  }

  /** Drops everything; every later call is refused. */
  close(): void {
    this.#closed = true;
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
    while (this.queues.size > 0) this.queues.scan(Infinity, drop);
  }

  #alive<Kind extends Cell>(map: FifoMap<Kind>, cell: Kind | undefined): Kind | undefined {
    if (cell === undefined || cell.expiresAt > this.clock.now()) return cell;
    map.delete(cell);
    return undefined;
  }

  #arm(ms: number): void {
    this.#sweeper = this.clock.after(ms, () => this.#sweep(), { background: true });
  }

  #sweep(): void {
    const now = this.clock.now();
    const limit = Math.min(sweepMost, Math.max(sweepLeast, this.queues.size / 60));
    let expired = 0;
    let mortals = this.#mortals;
    const lapDone = this.queues.scan(limit, (cell) => {
      if (cell.expiresAt !== Infinity) mortals = true;
      if (cell.expiresAt > now) return;
      drop(cell);
      expired += 1;
    });
    this.#sweeper = undefined;
    this.#mortals = lapDone ? false : mortals;
    if (this.queues.size > 0 && (mortals || !lapDone)) this.#arm(expired > limit / 4 ? busySweepEveryMs : sweepEveryMs);
  }
}

function drop(cell: Cell): void {
  cell.home?.delete(cell);
}
