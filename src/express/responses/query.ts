/** Reads the query of a request: are its parameters declared, and which other queries say the same? */

/** Parsers stop at some number of parameters: which ones they still see depends on the order then. */
const mostSorted = 32;
/** A parameter that every parser reads alike, wherever it stands: one "=", no brackets, no other separators. */
const plainParameter = /^[\w~-]+=[\w.~,:!*'()@/+%$|-]*$/;

/**
 * Returns the query with its parameters sorted by name, the order within a name kept, and each written as it came.
 *
 * Only a query that every parser reads alike is sorted. Anything unusual stays as it is, and so differs from all others: empty
 * parameters, encoded names, `;`, brackets, a parameter without "=".
 */
export function sortedQuery(raw: string): string {
  if (!raw.includes('&')) return raw;
  const parts = raw.split('&', mostSorted + 1);
  if (parts.length > mostSorted || !parts.every((part) => plainParameter.test(part))) return raw;
  return parts.sort(byName).join('&');
}

function byName(a: string, b: string): number {
  const [one, other] = [rawName(a), rawName(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

function rawName(parameter: string): string {
  const end = parameter.indexOf('=');
  return end === -1 ? parameter : parameter.slice(0, end);
}

/** Tells whether the query names only parameters of `declared`, by their decoded names. */
export function hasOnly(raw: string, declared: ReadonlySet<string>): boolean {
  for (let from = 0; from < raw.length;) {
    const next = raw.indexOf('&', from);
    const end = next === -1 ? raw.length : next;
    if (end > from) {
      const name = decoded(rawName(raw.slice(from, end)));
      if (name === undefined || !declared.has(name)) return false;
    }
    from = end + 1;
  }
  return true;
}

function decoded(name: string): string | undefined {
  if (!name.includes('%') && !name.includes('+')) return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
