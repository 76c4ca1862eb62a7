/** Wraps a backend so that it fails in every way a network can, the same way again for the same seed. */

import type { Backend, FacetName } from '../backend/backend.ts';
import type { Bus, SubscribeOptions, Subscription } from '../backend/bus.ts';
import type { Stored } from '../backend/values.ts';
import { sleep, systemClock, type Clock } from '../support/clock.ts';
import { HotshelfError } from '../support/errors.ts';
import { seededRandom } from './random.ts';

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

export interface ChaosOptions extends ChaosRates {
  /** The same seed and the same calls give the same faults. @default 1 */
  readonly seed?: number;
  /** What delays are measured with. @default the machine's own */
  readonly clock?: Clock;
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

/** The facets that `Wrapped` has, behind chaos. `values.resident` is off: nothing can go wrong on the way to it. */
export type ChaosBackend<Wrapped extends Backend> = Backend &
  Pick<Wrapped, FacetName & keyof Wrapped> & { readonly chaos: ChaosSwitches };

type Fault = 'throws' | 'drops' | 'hangs' | 'corrupts';
type Call = (...args: never[]) => Promise<unknown>;

const calmRates: Required<ChaosRates> = { throws: 0, drops: 0, hangs: 0, corrupts: 0, delayMs: [0, 0] };
/** What comes after a fault that is not there: the command is applied and answered. */
interface Fate {
  readonly fault: 'throws' | 'drops' | 'hangs' | undefined;
  readonly applied: boolean;
  readonly corrupts: boolean;
  /** Where and how a value is corrupted, in [0, 1). */
  readonly where: number;
  readonly requestMs: number;
  readonly answerMs: number;
}
