/** Finds the field that governs this cache: Cache-Control, or one that is meant for it in particular. RFC 9213. */

import { type CacheControl, type Directive, parseCacheControl, secondsNames, toCacheControl } from './cache-control.ts';
import { type Fields, fieldValue } from './fields.ts';
import { type BareItem, type Member, parseDictionary } from './structured-fields.ts';

export interface Governing {
  readonly directives: CacheControl;
  /** The targeted field that they come from, in lower case; with one, Cache-Control and Expires mean nothing here. */
  readonly target: string | undefined;
}

/**
 * Returns the directives of the first of `targets` that the response has, else those of Cache-Control.
 *
 * RFC 9213 section 2.2: the first one that is present, valid and not empty counts, even if a later one is stricter. Section
 * 2.1: one that is empty or no Dictionary is ignored, as if it were not there.
 */
export function governing(fields: Fields, targets: readonly string[]): Governing {
  for (const name of targets) {
    const target = name.toLowerCase();
    const value = fieldValue(fields, target);
    const members = value === undefined ? undefined : parseDictionary(value);
    if (members === undefined || members.size === 0) continue;
    const directives = [...members].flatMap(([key, member]) => directive(key, member) ?? []);
    return { directives: toCacheControl(directives), target };
  }
  return { directives: parseCacheControl(fieldValue(fields, 'cache-control')), target: undefined };
}

/**
 * RFC 9213 section 2.1: a number of seconds is an Integer, a list of fields a String or a Token, and everything else is true.
 * What has another type is not consumed: as in a malformed Cache-Control, the stricter reading holds. Parameters are ignored.
 */
function directive(name: string, member: Member): Directive | undefined {
  const bare = member.kind === 'item' ? member.bare : undefined;
  if (bare?.kind === 'boolean') return bare.value ? { name, argument: undefined, valid: true } : undefined;
  if (secondsNames.has(name)) {
    return { name, argument: bare?.kind === 'integer' ? String(bare.value) : '', valid: bare?.kind === 'integer' };
  }
  return { name, argument: textOf(bare) ?? '', valid: textOf(bare) !== undefined };
}

function textOf(bare: BareItem | undefined): string | undefined {
  return bare?.kind === 'string' || bare?.kind === 'token' ? bare.value : undefined;
}
