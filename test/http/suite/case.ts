/** What a case of our own is made of: requests one after the other, what the origin says to each, and what is to come of it. */

import type { Kind } from 'http-cache-tests/tests/index.mjs';

/** A field; a number stands for a date so many seconds from the moment of the answer. */
export type CaseField = readonly [name: string, value: string | number];

export interface CaseAnswer {
  readonly fields?: readonly CaseField[];
  /** Interim responses that go before: 102, or 103 with its fields. */
  readonly interim?: readonly (102 | Readonly<Record<string, string>>)[];
  /** How long the origin takes, in ms. @default 0 */
  readonly takesMs?: number;
  /** The origin fails before it answers. */
  readonly fails?: boolean;
}

export interface Expected {
  /** `cache`: an earlier answer of the origin; `origin`: its answer to this request; `nothing`: no answer of the origin. */
  readonly from: 'cache' | 'origin' | 'nothing';
  readonly fields?: Readonly<Record<string, string>>;
  /** Fields that are there. */
  readonly having?: readonly string[];
  /** Fields that are not there. */
  readonly without?: readonly string[];
  /** Fields that are as they were in the first response. */
  readonly asAtFirst?: readonly string[];
  /** The interim responses that arrive: 102, or 103 with these fields among others. */
  readonly interim?: CaseAnswer['interim'];
}

export interface Step {
  readonly send?: readonly CaseField[];
  /** What the origin says if it is asked. @default a response of status 200 without fields */
  readonly answer?: CaseAnswer;
  readonly expect: Expected;
  /** Waits three seconds before the next request. @default false */
  readonly pause?: boolean;
}

export interface Case {
  readonly id: string;
  readonly kind: Kind;
  readonly says: string;
  readonly steps: readonly Step[];
}
