/** Writes what a program can read of a refusal: problem details. RFC 9457. */

/** The media type of the body. */
export const problemType = 'application/problem+json';

/** The types of draft-ietf-httpapi-ratelimit-headers-10 section 5, and none (RFC 9457 section 4.2.1). */
const types = {
  'quota-exceeded': { title: 'Quota Exceeded', status: 429 },
  'temporary-reduced-capacity': { title: 'Temporary Reduced Capacity', status: 503 },
  forbidden: { title: 'Forbidden', status: 403 },
} as const;

export type ProblemName = keyof typeof types;

export interface Problem {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/**
 * @param detail what happened, for people: no secrets
 * @param policies the names of the policies that were exceeded
 * @example
 * problem('quota-exceeded', 'Try again in 3 s.', ['burst']).status; // 429
 */
export function problem(name: ProblemName, detail: string, policies: readonly string[] = []): Problem {
  const { title, status } = types[name];
  const type = name === 'forbidden' ? 'about:blank' : `https://iana.org/assignments/http-problem-types#${name}`;
  const violated = policies.length === 0 ? {} : { 'violated-policies': policies };
  return { status, body: JSON.stringify({ type, title, status, detail, ...violated }) };
}
