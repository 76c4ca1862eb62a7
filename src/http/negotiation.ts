/** Chooses the content coding that a client likes best among those that there are. */

import { fieldValue, type Fields, listMembers, withoutSpace } from './fields.ts';

/** `identity`: as it is. */
export type Coding = 'br' | 'gzip' | 'identity';

/**
 * Returns how much the client likes the coding, from 0 (refused) to 1: RFC 9110 section 12.5.3.
 *
 * `identity` that is not named is taken, but rather than it anything that is. A weight that cannot be read refuses.
 */
export function acceptsCoding(request: Fields, coding: Coding): number {
  const list = fieldValue(request, 'accept-encoding');
  // Without the field, any coding is acceptable.
  if (list === undefined) return 1;
  const weights = weightsOf(list);
  const named = weights.get(coding) ?? weights.get('*');
  if (named !== undefined) return named;
  // With it, what is not in the list is refused; identity is refused only by "identity;q=0" and "*;q=0".
  if (coding !== 'identity') return 0;
  return weights.size === 0 ? 1 : least;
}

/** The smallest weight above 0 that can be written: RFC 9110 section 12.4.2. */
const least = 0.001;

/**
 * Returns the one of the `offered` codings that the client likes best, the first of several; `undefined` if it takes none.
 *
 * A client that does not say what it can decode gets `identity` if that is offered.
 */
export function chooseCoding(request: Fields, offered: readonly Coding[]): Coding | undefined {
  if (fieldValue(request, 'accept-encoding') === undefined && offered.includes('identity')) return 'identity';
  let best: Coding | undefined;
  let bestWeight = 0;
  for (const coding of offered) {
    const weight = acceptsCoding(request, coding);
    if (weight <= bestWeight) continue;
    best = coding;
    bestWeight = weight;
  }
  return best;
}

/**
 * Returns the language that the client likes best, in lower case; `undefined` if it likes several as much, or any other as much, or
 * does not say. RFC 9110 section 12.5.4: what languages weigh the same is up to the origin.
 */
export function preferredLanguage(request: Fields): string | undefined {
  let best: string | undefined;
  let bestWeight = 0;
  for (const [language, weight] of weightsOf(fieldValue(request, 'accept-language') ?? '')) {
    if (weight < bestWeight || weight === 0) continue;
    best = weight > bestWeight && language !== '*' ? language : undefined;
    bestWeight = weight;
  }
  return best;
}

function weightsOf(list: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const member of listMembers(list)) {
    const semicolon = member.indexOf(';');
    const name = withoutSpace(member, 0, semicolon === -1 ? member.length : semicolon).toLowerCase();
    const weight = semicolon === -1 ? 1 : weightOf(withoutSpace(member, semicolon + 1));
    // RFC 9110 section 8.4.1.3: x-gzip is gzip.
    const coding = name === 'x-gzip' ? 'gzip' : name;
    // What is named twice counts for the less.
    weights.set(coding, Math.min(weight, weights.get(coding) ?? 1));
  }
  return weights;
}

/** RFC 9110 section 12.4.2: weight = OWS ";" OWS "q=" qvalue, at most 1. */
function weightOf(parameter: string): number {
  return qvalue.test(parameter) ? Number(parameter.slice(2)) : 0;
}

const qvalue = /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;
