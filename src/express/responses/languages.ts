/** Remembers which of the answers for one URI are in which language, for routes whose answers differ by that alone. */

import { fieldValue, type Fields, listMembers } from '../../http/fields.ts';
import { preferredLanguage } from '../../http/negotiation.ts';
import { variantKey } from '../../http/vary.ts';
import { fieldsOf } from './answer.ts';
import type { IncomingLike } from '../request.ts';
import type { Route } from './route.ts';
import { type Place, variantPlace } from './place.ts';
import type { StoredAnswer, Variants } from './stored.ts';

const field = 'accept-language';

/** Returns the one language that a good answer is in, in lower case; `undefined` if it does not say, or is in several. */
export function languageOf({ status, lines }: StoredAnswer): string | undefined {
  if (status !== 200) return undefined;
  const [language, ...others] = listMembers(fieldValue(fieldsOf(lines), 'content-language'));
  return others.length === 0 ? language?.toLowerCase() : undefined;
}

/** Remembers where an answer to a request with these fields stands: a hint, which may be out of date when it is used. */
export function rememberLanguage<Request extends IncomingLike>(
  { rules, inLanguage: keys }: Route<Request>,
  { key, variants }: Place,
  answer: StoredAnswer,
  request: Fields,
): void {
  if (!rules.byLanguage || variants === undefined || !variants.names.includes(field)) return;
  const language = languageOf(answer);
  if (language !== undefined) keys.set(hintOf(variants, request, language), key);
}

/**
 * Returns the key of an answer in the language that a request with these fields likes best, where that is not its own place.
 *
 * RFC 9110 section 12.5.4: whatever else the client would take, it likes this one best, and there is one.
 */
export function inLanguage<Request extends IncomingLike>(
  { rules, inLanguage: keys }: Route<Request>,
  uri: string,
  variants: Variants,
  request: Fields,
): { readonly key: string; readonly language: string } | undefined {
  if (!rules.byLanguage || !variants.names.includes(field)) return undefined;
  const language = preferredLanguage(request);
  if (language === undefined) return undefined;
  const key = keys.get(hintOf(variants, request, language));
  if (key === undefined || key === variantPlace(uri, variants, request, rules).key) return undefined;
  return { key, language };
}

function hintOf({ names, generation }: Variants, request: Fields, language: string): string {
  const others = names.filter((name) => name !== field);
  return `${generation}#${variantKey(others, request, { anyOrder: true })}#${language}`;
}
