/** Says in every error which leaderboard it is about. */

import { describe, HotshelfError } from '../support/errors.ts';

/** Runs `work`; its errors name the board `name`. */
export async function naming<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw named(name, error);
  }
}

/** Returns `error` with the name of the board in its message, and with its code and cause. */
export function named(name: string, error: unknown): unknown {
  const begin = boardName(name);
  if (!(error instanceof HotshelfError) || error.message.startsWith(begin)) return error;
  return new HotshelfError(error.code, begin + error.message, { cause: error.cause ?? error });
}

/** How an error about a board begins. */
export function boardName(name: string): string {
  return `Leaderboard ${JSON.stringify(name)}: `;
}

/** For an option or an argument that is not allowed; to be thrown where `naming` sees it. */
export function wrong(what: string, expected: string, got: unknown): HotshelfError {
  return new HotshelfError('OPTION_INVALID', `Expected \`${what}\` to be ${expected}, got ${describe(got)}.`);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `value` is a whole number in these bounds. */
export function checkWhole(what: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
  throw wrong(what, `a whole number from ${least} to ${most}`, value);
}

/** Names in a list, for an error: `"all", "day"`. */
export function listed(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
