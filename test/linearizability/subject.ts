/** What a fleet plays with: a cache in front of the origin. */
import type { BackendWith, CacheEvent, CacheStats, Clock } from 'hotshelf';
import type { OriginClient } from './origin.ts';

/** `chance` is from 0 to 1, less than 1, and decides between the ways to do it. */
export interface Subject {
  read(key: string, chance: number): Promise<number>;
  /** Changes the truth and resolves, with the new version, once no stale read may follow. */
  write(key: string, chance: number): Promise<number>;
  /** What became of it; nothing of caches that count nothing. */
  account(): Account | undefined;
  close(): Promise<void>;
}

export interface Account {
  readonly stats: CacheStats;
  /** How often each happened. */
  readonly events: Partial<Record<CacheEvent['type'], number>>;
  /** The first failures, as text. */
  readonly told: readonly string[];
}

export interface SubjectParts {
  readonly backend: BackendWith<'values'>;
  readonly origin: OriginClient;
  readonly clock: Clock;
}

export type SubjectMaker = (parts: SubjectParts) => Subject;
