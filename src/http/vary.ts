/** Names the variant that a request selects: two requests with the same name may share an answer. */

import { fieldValue, type Fields, withoutSpace } from './fields.ts';

export interface VariantOptions {
  /**
   * `de, en` and `en, de` select the same variant, in the fields that list languages, codings or charsets.
   *
   * The standard allows it (RFC 9110 section 12.5.4), but Express's `req.acceptsLanguages()` goes by that order.
   *
   * @default false
   */
  readonly anyOrder?: boolean;
}

/**
 * Returns a text that is the same for two requests if and only if they match in all of these fields: RFC 9111 section 4.1.
 *
 * White space that means nothing does not count, nor how a list is spread over lines, nor the case of languages, codings and
 * charsets. A field that is absent differs from one that is empty.
 *
 * @param names in lower case, and always in the same order
 */
export function variantKey(names: readonly string[], request: Fields, options?: VariantOptions): string {
  let key = '';
  for (const name of names) {
    const value = normalized(name, fieldValue(request, name), options?.anyOrder === true);
    // Lengths before texts: no value can look like the end of another.
    key += value === undefined ? `${name.length}:${name}-` : `${name.length}:${name}${value.length}:${value}`;
  }
  return key;
}

function normalized(name: string, value: string | undefined, anyOrder: boolean): string | undefined {
  if (value === undefined || opaque.has(name)) return value;
  if (caseless.has(name)) {
    const list = withoutBlanks(value, true).toLowerCase();
    return anyOrder ? sorted(list) : list;
  }
  return withoutBlanks(value, name === 'accept');
}

// RFC 9110 sections 12.5.2 to 12.5.4: lists of charsets, codings and languages, which have neither case nor quotes.
const caseless: ReadonlySet<string> = new Set(['accept-charset', 'accept-encoding', 'accept-language']);

/** No lists: a blank after a comma may mean something in them. */
const opaque: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'referer',
  'user-agent',
]);

function sorted(list: string): string {
  return list
    .split(',')
    .filter((member) => member !== '')
    .sort()
    .join(',');
}

/** Takes away the blanks at both ends and around commas (and semicolons), but not those inside quotes. */
function withoutBlanks(value: string, semicolons: boolean): string {
  let text = '';
  let start = 0;
  let quoted = false;
  for (let at = 0; at < value.length; at += 1) {
    const char = value[at];
    if (char === '"') quoted = !quoted;
    else if (char === '\\' && quoted) at += 1;
    else if (!quoted && (char === ',' || (semicolons && char === ';'))) {
      text += withoutSpace(value, start, at) + char;
      start = at + 1;
    }
  }
  // The blanks inside a quoted string that never ends stay.
  return text + (quoted ? value.slice(start) : withoutSpace(value, start));
}
