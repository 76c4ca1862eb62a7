/** What is counted of all that visitors do: their scores in the quiz, and which cities they look at. */

import type { BackendWith } from 'hotshelf';
import { type BoardRow, leaderboard, type Leaderboard, trending, type Trending } from 'hotshelf/leaderboards';
import type { User } from './accounts.ts';
import { Quiz } from './quiz.ts';

/** For how long scores count; each answer counts in all three. */
export const gameWindows = ['day', 'week', 'all'] as const;
export type GameWindow = (typeof gameWindows)[number];

/** What a row shows of a user; whose id it is, is nobody's business. */
export interface Player {
  readonly name: string;
}

export interface Game {
  readonly quiz: Quiz;
  readonly board: Leaderboard<GameWindow, Player>;
  /** Members are ids of cities. */
  readonly looks: Trending;
  close(): void;
}

export interface GameOptions {
  readonly backend: BackendWith<'values' | 'rankings'>;
  /** Sign the questions. */
  readonly secrets: readonly string[];
  /** Whose midnight ends a day and a week. */
  readonly timeZone: string;
}

export function createGame({ backend, secrets, timeZone }: GameOptions): Game {
  const board = leaderboard<GameWindow, Player>('atlas.quiz', {
    backend,
    windows: gameWindows,
    timeZone,
    mode: 'sum',
    meta: true,
  });
  return {
    quiz: new Quiz(backend, secrets),
    board,
    // A few hundred are enough for a top ten; on Memcached each look writes them all.
    looks: trending('atlas.cities', { backend, halfLife: '1h', capacity: 300 }),
    close: () => board.close(),
  };
}

/** A point for a user. His name goes first: whoever sees the row can say whose it is. */
export async function givePoint({ board }: Game, { id, name }: User) {
  await board.setMeta(id, { name });
  return board.submit(id, 1);
}

/** What everybody may see of a row. */
export function shown({ rank, score, meta }: BoardRow<Player>) {
  return { rank, name: meta?.name ?? 'somebody', score };
}
