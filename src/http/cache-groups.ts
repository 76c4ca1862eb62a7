/** Reads which groups an answer belongs to, and which groups it invalidates: RFC 9875. */

import { fieldValue, type Fields } from './fields.ts';
import { isSafeMethod } from './invalidation.ts';
import { parseList } from './structured-fields.ts';

export type CacheGroupsField = 'cache-groups' | 'cache-group-invalidation';

/**
 * Returns the groups that the field names, each once; none when the field is no List of Strings.
 *
 * RFC 9875 section 2 wants at least 32 groups of 32 characters to be supported. None is left out here, however many or long
 * they are: an answer that lost a group would outlive the group's invalidation. Groups are compared character by
 * character, and those of one origin have nothing to do with those of another (section 2.1).
 */
export function groupsOf(fields: Fields, name: CacheGroupsField): string[] {
  const groups = new Set<string>();
  for (const member of parseList(fieldValue(fields, name)) ?? []) {
    // A field of another type is ignored altogether, of a member only the parameters that nobody knows.
    if (member.kind !== 'item' || member.bare.kind !== 'string') return [];
    groups.add(member.bare.value);
  }
  return [...groups];
}

/** Returns the groups that the answer to a request with this method invalidates; a safe method has no such power: RFC 9875 section 3. */
export function invalidatedGroups(method: string, fields: Fields): string[] {
  return isSafeMethod(method) ? [] : groupsOf(fields, 'cache-group-invalidation');
}
