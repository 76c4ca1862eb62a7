/** Says how the list of an owner's sessions changes. Pure. */

import { isObject } from './content.ts';

/** One session in the list. */
export interface Listed {
  /** Where it stands: see `Keys.placeOf`. */
  readonly place: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** When it came into the list before it was written, in epoch ms; 0 if it was written first. */
  readonly pendingAt: number;
}

export type OwnerList = readonly Listed[];

/** What came into the list so recently, in ms, may be on its way to be written. */
const pendingMs = 10_000;

/** Returns `list` without what is neither alive nor on its way. */
export function pruned(list: OwnerList, isAlive: (one: Listed) => boolean, now: number): OwnerList {
  return list.filter((one) => isAlive(one) || Math.abs(now - one.pendingAt) < pendingMs);
}

/** Returns `list` with `one` in it, and the oldest sessions that must end so that there are no more than `most`. */
export function withOne(
  list: OwnerList,
  one: Listed,
  most: number,
): { readonly list: OwnerList; readonly evicted: OwnerList } {
  const others = list.filter(({ place }) => place !== one.place).toSorted((a, b) => a.createdAt - b.createdAt);
  const excess = Math.max(0, others.length + 1 - most);
  return { list: [...others.slice(excess), one], evicted: others.slice(0, excess) };
}

export function without(list: OwnerList, places: ReadonlySet<string>): OwnerList {
  return list.filter(({ place }) => !places.has(place));
}

/** Returns the list that was stored as `value`; what is none of it is left out. */
export function listIn(value: unknown): OwnerList {
  return Array.isArray(value) ? value.filter(isListed) : [];
}

function isListed(value: unknown): value is Listed {
  if (!isObject(value)) return false;
  const { place, createdAt, pendingAt } = value;
  return (
    typeof place === 'string' && place.length >= 43 && typeof createdAt === 'number' && typeof pendingAt === 'number'
  );
}
