/** Decides what befalls each command of a backend behind chaos, and carries it out. */

import { sleep, type Clock } from '../support/clock.ts';
import { HotshelfError } from '../support/errors.ts';

/** How often what happens; shares are from 0 to 1 and count for each command by itself. */
export interface ChaosRates {
  /** Commands that are not sent: `BACKEND_DOWN`. @default 0 */
  readonly throws?: number;
  /** Commands without an answer, half of them applied: `OUTCOME_UNKNOWN`. @default 0 */
  readonly drops?: number;
  /** Commands that are not sent and do not settle before `release()`. @default 0 */
  readonly hangs?: number;
  /** Stored values that come back with changed, missing or added bytes. @default 0 */
  readonly corrupts?: number;
  /** The least and the most that a request and its answer travel, in ms, each by itself. @default [0, 0] */
  readonly delayMs?: readonly [number, number];
}

export interface ChaosSwitches {
  /** Changes the rates that are named; the others stay. */
  set(rates: ChaosRates): void;
  /** Sets all rates to 0. */
  calm(): void;
  /** Fails every hanging command with `OUTCOME_UNKNOWN`. */
  release(): void;
  /** Loses all messages from now on, and tells every subscriber of the gap. */
  cut(): void;
  /** Ends what `cut` began. */
  mend(): void;
  /** How many faults there were, by kind. */
  readonly counts: Readonly<Record<Fault, number>>;
}

type Fault = 'throws' | 'drops' | 'hangs' | 'corrupts';

/** What befalls one command; drawn when it is called, whatever the rates are, so that a seed keeps its sequence. */
export interface Fate {
  readonly fault: Exclude<Fault, 'corrupts'> | undefined;
  /** With `drops`: whether the command is carried out although its answer is lost. */
  readonly applied: boolean;
  readonly corrupts: boolean;
  /** Where and how bytes are corrupted, in [0, 1). */
  readonly where: number;
  readonly requestMs: number;
  readonly answerMs: number;
}

const calmRates: Required<ChaosRates> = { throws: 0, drops: 0, hangs: 0, corrupts: 0, delayMs: [0, 0] };

export class Wire implements ChaosSwitches {
  readonly counts: Record<Fault, number> = { throws: 0, drops: 0, hangs: 0, corrupts: 0 };
  /** Called when the bus is cut and when it is mended. */
  readonly gapListeners = new Set<(state: 'lost' | 'restored') => void>();
  isCut = false;
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #hanging = new Set<(error: HotshelfError) => void>();
  #rates = calmRates;

  constructor(random: () => number, clock: Clock) {
    this.#random = random;
    this.#clock = clock;
  }

  set(rates: ChaosRates): void {
    this.#rates = { ...this.#rates, ...rates };
  }

  calm(): void {
    this.#rates = calmRates;
  }

  release(): void {
    for (const fail of this.#hanging) fail(outcomeUnknown());
    this.#hanging.clear();
  }

  cut(): void {
    this.isCut = true;
    for (const tell of this.gapListeners) tell('lost');
  }

  mend(): void {
    this.isCut = false;
    for (const tell of this.gapListeners) tell('restored');
  }

  draw(): Fate {
    const [pick, apply, corrupt, where, request, answer] = Array.from({ length: 6 }, this.#random) as SixNumbers;
    const { throws, drops, hangs, corrupts, delayMs } = this.#rates;
    const fault = pick < throws ? 'throws' : pick < throws + drops ? 'drops' : 'hangs';
    const travel = (share: number) => delayMs[0] + share * (delayMs[1] - delayMs[0]);
    return {
      fault: pick < throws + drops + hangs ? fault : undefined,
      applied: apply < 0.5,
      corrupts: corrupt < corrupts,
      where,
      requestMs: travel(request),
      answerMs: travel(answer),
    };
  }

  /** Carries a command out as its fate says. Without delays it is sent at once: in the tick of its call. */
  async run<Answer>(send: () => Promise<Answer>, fate: Fate = this.draw()): Promise<Answer> {
    if (fate.requestMs > 0) await this.delay(fate.requestMs);
    if (fate.fault !== undefined) {
      this.counts[fate.fault] += 1;
      if (fate.fault === 'throws') throw new HotshelfError('BACKEND_DOWN', 'Chaos: the command was not sent.');
      if (fate.fault === 'hangs') return new Promise<never>((_, reject) => this.#hanging.add(reject));
      if (fate.applied) await send();
      throw outcomeUnknown();
    }
    const answer = await send();
    if (fate.answerMs > 0) await this.delay(fate.answerMs);
    return answer;
  }

  /** As `run`, for an answer whose bytes may be corrupted. */
  async read<Answer>(send: () => Promise<Answer>, alter: (answer: Answer, where: number) => Answer): Promise<Answer> {
    const fate = this.draw();
    const answer = await this.run(send, fate);
    if (!fate.corrupts) return answer;
    this.counts.corrupts += 1;
    return alter(answer, fate.where);
  }

  delay(ms: number): Promise<void> {
    return sleep(this.#clock, ms);
  }
}

type SixNumbers = [number, number, number, number, number, number];

function outcomeUnknown(): HotshelfError {
  return new HotshelfError(
    'OUTCOME_UNKNOWN',
    'Chaos: the answer was lost; the command may or may not have been applied.',
  );
}
