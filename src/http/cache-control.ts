/** Reads Cache-Control: which directives hold, where the field is well formed and where it is not? */

import { isToken, listMembers, withoutSpace } from './fields.ts';

/** The directives of a request or a response. Spans are in seconds; one above 2^31 counts as 2^31 (RFC 9111 section 1.2.2). */
export interface CacheControl {
  /** 0 where it is malformed, or repeated with another value. */
  readonly maxAge?: number | undefined;
  /** 0 where it is malformed, or repeated with another value. */
  readonly sMaxage?: number | undefined;
  /** The unqualified form: nothing of the response is reused without asking the origin. */
  readonly noCache: boolean;
  /** The fields that the qualified form lists, in lower case. */
  readonly noCacheFields: readonly string[];
  /** The unqualified form: nothing of the response is for a shared cache. */
  readonly private: boolean;
  /** The fields that the qualified form lists, in lower case. */
  readonly privateFields: readonly string[];
  readonly noStore: boolean;
  readonly noTransform: boolean;
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly immutable: boolean;
  readonly staleWhileRevalidate?: number | undefined;
  readonly staleIfError?: number | undefined;
  /** Of a request: how stale an answer may be; `Infinity` where it names no limit. */
  readonly maxStale?: number | undefined;
  /** Of a request: how long an answer must stay fresh. */
  readonly minFresh?: number | undefined;
  readonly onlyIfCached: boolean;
}

/** A directive as it was written. */
export interface Directive {
  /** In lower case. */
  readonly name: string;
  /** Without its quotes; `undefined` where there is none. */
  readonly argument: string | undefined;
  /** The argument obeys the grammar. */
  readonly valid: boolean;
}

/**
 * Returns the directives of a Cache-Control field.
 *
 * Where the field is malformed the stricter reading holds: a lifetime that cannot be read is 0, a list of fields that cannot
 * be read stands for all of them, and what cannot be read and would allow more is left out.
 *
 * @example
 * parseCacheControl('max-age=60, no-cache="set-cookie"'); // { maxAge: 60, noCache: false, noCacheFields: ['set-cookie'], … }
 */
export function parseCacheControl(value: string | undefined): CacheControl {
  const members = listMembers(value);
  const last = members.at(-1);
  if (last === undefined || !hasOpenQuote(last)) return toCacheControl(members.map(directive));
  // A quoted string that never ends may have swallowed a "no-store": what it hides holds, and nothing is fresh.
  const found = [...members.slice(0, -1), ...last.split(',').map((member) => withoutSpace(member))].map(directive);
  return { ...toCacheControl(found), ...nothingAllowed };
}

const nothingAllowed: Partial<CacheControl> = {
  maxAge: 0,
  sMaxage: undefined,
  proxyRevalidate: true,
  public: false,
  immutable: false,
  staleWhileRevalidate: undefined,
  staleIfError: undefined,
  maxStale: undefined,
};

/** Returns what a list of directives says. Names that nobody knows are ignored (RFC 9111 section 5.2.3). */
export function toCacheControl(directives: readonly Directive[]): CacheControl {
  const found = new Map<string, Directive[]>();
  for (const each of directives) {
    const same = found.get(each.name);
    if (same !== undefined) same.push(each);
    else if (knownNames.has(each.name)) found.set(each.name, [each]);
  }
  const noCacheFields = listedFields(found.get('no-cache'));
  const privateFields = listedFields(found.get('private'));
  return {
    maxAge: lifetime(found.get('max-age')),
    sMaxage: lifetime(found.get('s-maxage')),
    noCache: noCacheFields === 'all',
    noCacheFields: noCacheFields === 'all' ? [] : noCacheFields,
    private: privateFields === 'all',
    privateFields: privateFields === 'all' ? [] : privateFields,
    noStore: found.has('no-store'),
    noTransform: found.has('no-transform'),
    public: isBare(found.get('public')),
    mustRevalidate: found.has('must-revalidate'),
    proxyRevalidate: found.has('proxy-revalidate'),
    mustUnderstand: found.has('must-understand'),
    // RFC 8246 section 2: an argument of it has no meaning and is ignored.
    immutable: found.has('immutable'),
    staleWhileRevalidate: seconds(found.get('stale-while-revalidate')),
    staleIfError: seconds(found.get('stale-if-error')),
    // RFC 9111 section 5.2.1.2: without an argument, a stale answer of any age.
    maxStale: isBare(found.get('max-stale')) ? Number.POSITIVE_INFINITY : seconds(found.get('max-stale')),
    minFresh: seconds(found.get('min-fresh')),
    onlyIfCached: found.has('only-if-cached'),
  };
}

/** The directives whose argument is a number of seconds. */
export const secondsNames: ReadonlySet<string> = new Set([
  'max-age',
  's-maxage',
  'stale-while-revalidate',
  'stale-if-error',
  'max-stale',
  'min-fresh',
]);

const knownNames: ReadonlySet<string> = new Set([
  ...secondsNames,
  'no-cache',
  'private',
  'no-store',
  'no-transform',
  'public',
  'must-revalidate',
  'proxy-revalidate',
  'must-understand',
  'immutable',
  'only-if-cached',
]);

/** Reads one member: `token [ "=" ( token / quoted-string ) ]`. RFC 9111 section 5.2. */
function directive(member: string): Directive {
  const equals = member.indexOf('=');
  // RFC 9111 section 5.2: names are case-insensitive.
  if (equals === -1) return { name: member.toLowerCase(), argument: undefined, valid: true };
  const written = member.slice(0, equals);
  const name = withoutSpace(written);
  const argument = member.slice(equals + 1);
  // RFC 9111 section 5.2: a recipient accepts a token and a quoted string for every argument.
  const text = argument.startsWith('"') ? unquoted(argument) : isToken(argument) ? argument : undefined;
  return { name: name.toLowerCase(), argument: text ?? argument, valid: text !== undefined && name === written };
}

/** Returns the text of a quoted string (RFC 9110 section 5.6.4); `undefined` where it does not end, or something follows. */
function unquoted(quoted: string): string | undefined {
  let text = '';
  let from = 1;
  for (let at = 1; at < quoted.length; at++) {
    const character = quoted[at];
    if (character === '"') return at === quoted.length - 1 ? text + quoted.slice(from, at) : undefined;
    if (character !== '\\') continue;
    text += quoted.slice(from, at);
    from = ++at;
  }
  return undefined;
}

function hasOpenQuote(member: string): boolean {
  let open = false;
  for (let at = 0; at < member.length; at++) {
    const character = member[at];
    if (character === '"') open = !open;
    else if (character === '\\' && open) at++;
  }
  return open;
}

/** RFC 9111 section 4.2.1: a response whose freshness is invalid, or stated twice, is considered stale. */
function lifetime(found: readonly Directive[] | undefined): number | undefined {
  return found === undefined ? undefined : (seconds(found) ?? 0);
}

function seconds(found: readonly Directive[] | undefined): number | undefined {
  const [first, ...others] = (found ?? []).map((each) => (each.valid ? deltaSeconds(each.argument) : undefined));
  return others.every((other) => other === first) ? first : undefined;
}

/** Returns a number of seconds; `undefined` where it is not one. RFC 9111 section 1.2.2: above 2^31 it is 2^31. */
export function deltaSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Math.min(Number(text), longestSeconds) : undefined;
}

const longestSeconds = 2 ** 31;

function isBare(found: readonly Directive[] | undefined): boolean {
  return found !== undefined && found.every((each) => each.argument === undefined);
}

/**
 * Returns the fields that `no-cache` or `private` is about: those it lists, or all.
 *
 * RFC 9111 sections 5.2.2.4 and 5.2.2.7: the qualified form limits the directive to the listed fields. A list that is empty
 * or malformed limits nothing.
 */
function listedFields(found: readonly Directive[] | undefined): 'all' | readonly string[] {
  const fields = new Set<string>();
  for (const { argument, valid } of found ?? []) {
    const names = valid ? listMembers(argument) : [];
    if (names.length === 0 || !names.every(isToken)) return 'all';
    for (const name of names) fields.add(name.toLowerCase());
  }
  return [...fields];
}
