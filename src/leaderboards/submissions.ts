/** Submits many scores, and says how far it came. */

import type { Submission, Submitted } from '../backend/rankings.ts';
import { mostSubmissions } from '../backend/rankings/check.ts';
import { HotshelfError } from '../support/errors.ts';
import { boardName, wrong } from './naming.ts';
import type { WindowKind } from './time/windows.ts';

/** What one submission did in each window. */
export type SubmittedTo<Kind extends WindowKind = WindowKind> = Readonly<Record<Kind, Submitted>>;

/**
 * Raised by `submitMany` when not everything was acknowledged. The code is that of the failure underneath.
 *
 * @example
 * const rest = scores.slice(error.acknowledged.length + error.uncertain);
 */
export class PartlySubmittedError<Kind extends WindowKind = WindowKind> extends HotshelfError {
  /** What the first submissions of the list did: as many as were acknowledged. */
  readonly acknowledged: readonly SubmittedTo<Kind>[];
  /** How many after those were applied together, or not at all: nobody knows. 0 unless the code is `OUTCOME_UNKNOWN`. */
  readonly uncertain: number;

  constructor(
    name: string,
    cause: HotshelfError,
    acknowledged: readonly SubmittedTo<Kind>[],
    uncertain: number,
    of: number,
  ) {
    const open = uncertain === 0 ? '' : `, ${uncertain} may or may not have been applied`;
    super(
      cause.code,
      `${boardName(name)}Of ${of} scores ${acknowledged.length} were acknowledged${open}: ${cause.message}`,
      { cause },
    );
    this.acknowledged = acknowledged;
    this.uncertain = uncertain;
  }
}

/**
 * Submits to the board `name` in chunks of 128, one after the other; each is one atomic step.
 *
 * @throws {PartlySubmittedError}
 */
export async function submitChunks<Kind extends WindowKind>(
  name: string,
  submissions: readonly Submission[],
  submit: (chunk: readonly Submission[]) => Promise<readonly SubmittedTo<Kind>[]>,
): Promise<readonly SubmittedTo<Kind>[]> {
  const done: SubmittedTo<Kind>[] = [];
  for (let from = 0; from < submissions.length; from += mostSubmissions) {
    const chunk = submissions.slice(from, from + mostSubmissions);
    try {
      done.push(...(await submit(chunk)));
    } catch (error) {
      if (!(error instanceof HotshelfError)) throw error;
      const uncertain = error.code === 'OUTCOME_UNKNOWN' ? chunk.length : 0;
      throw new PartlySubmittedError(name, error, done, uncertain, submissions.length);
    }
  }
  return done;
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `score` is a finite number within the bounds of the board. */
export function checkScore(score: unknown, { least, most }: { readonly least: number; readonly most: number }): void {
  if (typeof score === 'number' && Number.isFinite(score) && score >= least && score <= most) return;
  const isBounded = least !== -Infinity || most !== Infinity;
  throw wrong('score', isBounded ? `a finite number within \`bounds\`, ${least} to ${most}` : 'a finite number', score);
}
