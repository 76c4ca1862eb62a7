/** Tells under which key that one of the answers for a URI stands which a request gets. */

import type { Fields } from '../../http/fields.ts';
import { variantKey } from '../../http/vary.ts';
import type { ResponseRules } from './options.ts';
import type { Variants } from './stored.ts';

type VariantRules = Pick<ResponseRules, 'byLanguage'>;

/** Where one answer belongs. */
export interface Place {
  readonly key: string;
  /** How the answers for this URI are known to differ, where `key` is that of one of them. */
  readonly variants: Variants | undefined;
}

/** Returns the key of that one of the answers for a URI that a request with these fields gets. */
export function variantPlace(uri: string, variants: Variants, request: Fields, { byLanguage }: VariantRules): Place {
  const variant = variantKey(variants.names, request, { anyOrder: byLanguage });
  return { key: `${uri}#as=${variants.generation}#${variant}`, variants };
}
