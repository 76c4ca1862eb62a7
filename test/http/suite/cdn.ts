/** Tells a published test anew for an origin that speaks to this cache alone: with CDN-Cache-Control (RFC 9213). */

import type { PublishedField, PublishedRequest, PublishedTest } from 'http-cache-tests/tests/index.mjs';

/** Tests of the fields themselves: nothing is moved. */
const aboutTheField = /expires|cache-control$/i;

/** Moves what the responses say of their lifetime into the targeted field, where the test is not about where it is said. */
export function targeted(test: PublishedTest): PublishedTest {
  return aboutTheField.test(test.id) ? test : { ...test, requests: test.requests.map(targetedRequest) };
}

function targetedRequest(request: PublishedRequest): PublishedRequest {
  const { response_headers: fields } = request;
  if (!fields) return request;
  const directed = fields.some(([name]) => name === 'Cache-Control');
  return { ...request, response_headers: fields.flatMap((field) => targetedFields(field, directed)) };
}

function targetedFields(field: PublishedField, directed: boolean): PublishedField[] {
  const [name, value] = field;
  if (name === 'Cache-Control') return [['CDN-Cache-Control', value, false]];
  if (name !== 'Expires' || typeof value !== 'number') return [field];
  // RFC 9111 section 5.3: max-age has precedence.
  return directed ? [] : [['CDN-Cache-Control', `max-age=${Math.max(0, value)}`, false]];
}
