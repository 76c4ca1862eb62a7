/** Says what was changed in a session, and what becomes of it when somebody else changed the session meanwhile. Pure. */

import { type Content, type CookieNow, cookieSettings, type CookieSettings, isSameCookie } from './content.ts';
import { type Fields, type Texts, textOf, valueIn } from './fields.ts';

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
export interface Compared {
  readonly fields: Fields;
  readonly cookie: CookieSettings | undefined;
}

/** Returns what was changed since `base`. */
export function changesSince({ fields: before, cookie }: Compared, now: Content): Changes {
  const texts = before.texts(now.texts);
  const fields: Change[] = [];
  for (const [name, mine] of now.texts) {
    const base = texts.get(name);
    if (base !== mine) fields.push({ name, base, mine });
  }
  for (const [name, base] of texts) {
    if (!now.texts.has(name)) fields.push({ name, base, mine: undefined });
  }
  return { fields, cookie: cookieChange(cookie, now.cookie) };
}

/** Returns the cookie of now if its settings are not those that were stored. */
export function cookieChange(
  stored: CookieSettings | undefined,
  now: CookieNow | undefined,
): CookieSettings | undefined {
  if (now === undefined || (stored !== undefined && isSameCookie(stored, now))) return undefined;
  return cookieSettings(now);
}

export function isNothing(changes: Changes): boolean {
  return changes.fields.length === 0 && changes.cookie === undefined;
}

/** Returns `stored` with `changes` made to it. Throws what a user's rule throws. */
export function merged(stored: Texts, { fields }: Pick<Changes, 'fields'>, rules: MergeRules): Texts {
  const texts = new Map(stored);
  for (const { name, base, mine } of fields) {
    const theirs = stored.get(name);
    const isMine = mine === undefined || theirs === base;
    const text = isMine ? mine : resolved(ruleFor(rules, name), base, mine, theirs);
    if (text === undefined) texts.delete(name);
    else texts.set(name, text);
  }
  return texts;
}

function ruleFor(rules: MergeRules, name: string): MergeRule {
  return Object.hasOwn(rules, name) ? (rules[name] ?? 'last') : 'last';
}

function resolved(rule: MergeRule, base: string | undefined, mine: string, theirs: string | undefined) {
  if (rule === 'last') return mine;
  const result = resolve(rule, { base: read(base), mine: read(mine), theirs: read(theirs) });
  return result === undefined ? undefined : textOf(result);
}

function resolve(rule: MergeRule, conflict: Conflict): unknown {
  const { base, mine, theirs } = conflict;
  if (typeof rule === 'function') return rule(conflict);
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
  const [before, own, others] = [textsOf(base), textsOf(mine), textsOf(theirs)];
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

function textsOf(values: readonly unknown[]): string[] {
  return values.map((value) => textOf(value) ?? 'null');
}

function read(text: string | undefined): unknown {
  return text === undefined ? undefined : valueIn(text);
}
