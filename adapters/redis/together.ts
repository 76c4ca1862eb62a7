/** Joins calls of one tick that one script call can answer, without changing their order. */

export interface Joinable {
  /** Calls with different texts here have nothing to do with each other. */
  readonly group: string;
  /** What it adds to a script call, in whatever unit the limit is. */
  readonly weight: number;
}

interface Batch<Call> {
  readonly calls: [Call, ...Call[]];
  weight: number;
}

export interface TogetherOptions<Call extends Joinable> {
  /** Whether one script call may answer both, which are of one group. */
  readonly areAlike: (one: Call, other: Call) => boolean;
  /** More go in several script calls: a server does nothing else while it runs one. */
  readonly mostWeight: number;
  /** Sends what goes together. Must not throw. */
  readonly send: (calls: readonly [Call, ...Call[]]) => void;
}

export class Together<Call extends Joinable> {
  readonly #options: TogetherOptions<Call>;
  #batches: Batch<Call>[] = [];
  /** The last of each group. */
  readonly #open = new Map<string, Batch<Call>>();
  readonly #flush = () => this.#send();

  constructor(options: TogetherOptions<Call>) {
    this.#options = options;
  }

  add(call: Call): void {
    const { areAlike, mostWeight } = this.#options;
    const open = this.#open.get(call.group);
    if (open !== undefined && open.weight + call.weight <= mostWeight && areAlike(open.calls[0], call)) {
      open.calls.push(call);
      open.weight += call.weight;
      return;
    }
    // Runs after the promises of this tick, as for reads.
    if (this.#batches.length === 0) process.nextTick(this.#flush);
    const batch: Batch<Call> = { calls: [call], weight: call.weight };
    this.#batches.push(batch);
    this.#open.set(call.group, batch);
  }

  #send(): void {
    const batches = this.#batches;
    this.#batches = [];
    this.#open.clear();
    for (const { calls } of batches) this.#options.send(calls);
  }
}
