/** Checks the options of the response cache one by one: each is refused with what it should be. */

import { encodeKey, type Key } from '../../cache/key.ts';
import { tagsFit } from '../../codec/envelope.ts';
import { isToken } from '../../http/fields.ts';
import { type Duration, durationMs } from '../../support/duration.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';

export const where = 'cacheResponses()';
/** Compression costs more than it saves below this. */
const compressAboveBytes = 1024;

export function checkQuery(query: unknown): ReadonlySet<string> | 'all' {
  if (query === 'all') return query;
  const expected = `a list of names of parameters, or 'all'`;
  return new Set(
    distinct('query', expected, query, (name) => {
      if (parameterName.test(name)) return name;
      throw wrong('query', 'names as they are after decoding, without "&", "=", "%", "#", "?" and ";"', name);
    }),
  );
}

const parameterName = /^[^\p{Cc}\p{Cs}&=%#?;]+$/u;

export function checkVary(vary: unknown): readonly string[] {
  const checked = distinct('vary', 'a list of names of request fields', vary, (name) => {
    const lower = name.toLowerCase();
    if (!isToken(name) || lower === '*')
      throw wrong('vary', 'names of request fields, such as "Accept-Language"', name);
    if (!personal.has(lower)) return lower;
    throw invalid(
      `\`vary\` of ${where} has "${lower}", by which hardly two requests are alike. Use \`per\` to say whose an answer is.`,
    );
  });
  return checked.sort();
}

/** These say who is asking; what they say is for `per` to tell. */
const personal: ReadonlySet<string> = new Set(['cookie', 'set-cookie', 'authorization', 'proxy-authorization']);

function distinct(option: string, expected: string, list: unknown, check: (name: string) => string): string[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw wrong(option, expected, list);
  const seen = new Set<string>();
  for (const name of list as readonly unknown[]) {
    if (typeof name !== 'string' || name === '') throw wrong(option, expected, name);
    const checked = check(name);
    if (seen.has(checked)) throw invalid(`\`${option}\` of ${where} has ${describe(checked)} twice.`);
    seen.add(checked);
  }
  return [...seen];
}

/** Stands for the tag of the URI, which has a place among them. */
const ownTag = '-'.repeat(200);

export function checkTags(tags: unknown): readonly Key[] {
  if (!Array.isArray(tags)) throw wrong('tags', 'a list of keys, or a function that returns one', tags);
  const list = tags as readonly Key[];
  let texts: string[];
  try {
    texts = list.map((tag) => encodeKey('hs!tag', tag));
  } catch (cause) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`tags\` of ${where} to be a list of keys. ${messageOf(cause)}`,
      { cause },
    );
  }
  if (tagsFit([...texts, ownTag])) return [...list];
  throw wrong('tags', 'at most 63 tags of 2,700 characters in all', tags);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

export function checkCompress(compress: unknown): number {
  if (typeof compress === 'boolean') return compress ? compressAboveBytes : Infinity;
  if (typeof compress !== 'object') throw wrong('compress', 'true, false or { above: bytes }', compress);
  checkOptionNames(compress, ['above'], '`compress`');
  const { above = compressAboveBytes } = compress as { above?: unknown };
  return bytes(above, 'compress.above', 0);
}

export function checkStatusName(name: unknown): string {
  // RFC 9211 section 2: a token or a string.
  if (typeof name === 'string' && /^[\x20-\x7e]{1,100}$/.test(name)) return name;
  throw wrong('statusName', '1 to 100 printable ASCII characters', name);
}

export function checkTarget(target: unknown): readonly string[] {
  const others = ['cdn-cache-control'];
  if (target === undefined) return others;
  const lower = typeof target === 'string' && isToken(target) ? target.toLowerCase() : '';
  if (lower === '') throw wrong('target', 'the name of a header field, such as "Hotshelf-Cache-Control"', target);
  if (lower === 'cache-control' || notTargeted.has(lower)) {
    throw invalid(
      `\`target\` of ${where} is "${lower}", which has a meaning of its own. Name a field of yours, such as "Hotshelf-Cache-Control".`,
    );
  }
  return [...new Set([lower, ...others])];
}

const notTargeted: ReadonlySet<string> = new Set([
  'expires',
  'pragma',
  'vary',
  'age',
  'etag',
  'set-cookie',
  'cache-status',
]);

export function flag(value: unknown, name: string): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw wrong(name, 'true or false', value);
}

export function span(value: Duration | undefined, name: string): number | undefined {
  return value === undefined ? undefined : durationMs(value, name, { orZero: true });
}

export function bytes(value: unknown, name: string, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw wrong(name, `a whole number of bytes of at least ${least}`, value);
}

export function wrong(name: string, expected: string, value: unknown): HotshelfError {
  return invalid(`Expected \`${name}\` of ${where} to be ${expected}, got ${describe(value)}.`);
}

export function invalid(message: string): HotshelfError {
  return new HotshelfError('OPTION_INVALID', message);
}
