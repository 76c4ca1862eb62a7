/** Says what was changed in a session, and what becomes of it when somebody else changed the session meanwhile. Pure. */

import { type Content, type CookieSettings, type Fields, textOf, valueIn } from './content.ts';

/** The three states of a field that two requests changed; `undefined` where it was not there. */
export interface Conflict {
  /** What both started from. */
  readonly base: unknown;
  /** What this request made of it. */
  readonly mine: unknown;
  /** What is stored now. */
  readonly theirs: unknown;
}

/**
 * What becomes of a field that two requests changed:
 *
 * - `last`: what is written last.
 * - `sum`: both differences are added, for numbers.
 * - `union`: what either added to an array is in it, and what either removed is not.
 * - a function of what both started from and of both results; it must be quick, pure and return JSON.
 *
 * A field that this request deleted is deleted, and where a rule does not fit what is there it is `last`.
 */
export type MergeRule = 'last' | 'sum' | 'union' | ((conflict: Conflict) => unknown);

/** By the name of the field. */
export type MergeRules = Readonly<Record<string, MergeRule>>;

/** One field that was changed; its values as JSON, `undefined` where it was not there. */
export interface Change {
  readonly name: string;
  readonly base: string | undefined;
  readonly mine: string | undefined;
}

export interface Changes {
  readonly fields: readonly Change[];
  /** The cookie, if its settings were changed. It is never merged. */
  readonly cookie: CookieSettings | undefined;
}

/** What a session held, as far as it is compared. */
export type Compared = Pick<Content, 'texts' | 'cookie'>;

/** Returns what was changed since `base`. */
export function changesSince(base: Compared, now: Compared): Changes {
  const fields: Change[] = [];
  for (const [name, mine] of now.texts) {
    const before = base.texts.get(name);
    if (before !== mine) fields.push({ name, base: before, mine });
  }
  for (const [name, before] of base.texts) {
    if (!now.texts.has(name)) fields.push({ name, base: before, mine: undefined });
  }
  return { fields, cookie: cookieChange(base.cookie, now.cookie) };
}

/** Returns the cookie of now if its settings are not those of `base`. */
export function cookieChange(
  base: CookieSettings | undefined,
  now: CookieSettings | undefined,
): CookieSettings | undefined {
  return base !== undefined && now !== undefined && sameCookie(base, now) ? undefined : now;
}

export function isNothing(changes: Changes): boolean {
  return changes.fields.length === 0 && changes.cookie === undefined;
}

/** Returns `stored` with `changes` made to it. Throws what a user's rule throws. */
export function merged(stored: Fields, changes: Changes, rules: MergeRules): Fields {
  const fields = new Map(stored);
  for (const { name, base, mine } of changes.fields) {
    const theirs = stored.get(name);
    const isMine = mine === undefined || textOf(theirs) === base;
    const value = isMine ? read(mine) : resolve(ruleFor(rules, name), { base: read(base), mine: read(mine), theirs });
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  }
  return fields;
}

function ruleFor(rules: MergeRules, name: string): MergeRule {
  return Object.hasOwn(rules, name) ? (rules[name] ?? 'last') : 'last';
}

function resolve(rule: MergeRule, conflict: Conflict): unknown {
  const { base, mine, theirs } = conflict;
  // Detached from what it was made of.
  if (typeof rule === 'function') return read(textOf(rule(conflict)));
  if (rule === 'sum') return sum(base ?? 0, mine, theirs ?? 0) ?? mine;
  if (rule === 'union') return union(base ?? [], mine, theirs ?? []) ?? mine;
  return mine;
}

function sum(base: unknown, mine: unknown, theirs: unknown): number | undefined {
  if (typeof base !== 'number' || typeof mine !== 'number' || typeof theirs !== 'number') return undefined;
  return theirs + (mine - base);
}

function union(base: unknown, mine: unknown, theirs: unknown): unknown[] | undefined {
  if (!Array.isArray(base) || !Array.isArray(mine) || !Array.isArray(theirs)) return undefined;
  const [before, own, others] = [texts(base), texts(mine), texts(theirs)];
  const kept = theirs.filter((_, index) => {
    const text = others[index] ?? '';
    return own.includes(text) || !before.includes(text);
  });
  const added = mine.filter((_, index) => {
    const text = own[index] ?? '';
    return !before.includes(text) && !others.includes(text);
  });
  return [...kept, ...added];
}

function texts(values: readonly unknown[]): string[] {
  return values.map((value) => textOf(value) ?? 'null');
}

function read(text: string | undefined): unknown {
  return text === undefined ? undefined : valueIn(text);
}

function sameCookie(one: CookieSettings, other: CookieSettings): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  // A Cookie counts its maxAge from the clock: the same 60 s are now and then 59.999.
  return [...names].every((name) =>
    name === 'originalMaxAge'
      ? Math.abs((one.originalMaxAge ?? -10) - (other.originalMaxAge ?? -10)) < 5
      : textOf(one[name]) === textOf(other[name]),
  );
}
