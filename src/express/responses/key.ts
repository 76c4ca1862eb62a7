/** Tells under which key the answer to a request is kept, or why there can be none. */

import type { Fields } from '../../http/fields.ts';
import { variantKey } from '../../http/vary.ts';
import { hasOnly } from './query.ts';
import { isSoundTarget, originOf, uriKey, type UriRequest, uriTag } from './uri.ts';

export interface KeyRequest extends UriRequest {
  readonly method?: string | undefined;
  /** The part of the path that routers took off `url`. */
  readonly baseUrl?: string;
  /** What the method was before a middleware changed it. */
  readonly originalMethod?: unknown;
}

/** What the key of an answer depends on, besides the request. */
export interface KeyRules<Request> {
  readonly query: ReadonlySet<string> | 'all';
  /** Lower-case and sorted. */
  readonly vary: readonly string[];
  /** Answers in one language are the same. */
  readonly byLanguage?: boolean;
  readonly per: ((req: Request) => string | number | undefined) | undefined;
}

export interface PrimaryKey {
  readonly key: string;
  /** The key of the URI alone. */
  readonly uri: string;
  /** The tag of the URI, where the answer depends on more than the URI: then it does not stand under the URI's key. */
  readonly tag: string | undefined;
}

/**
 * Why a request passes the cache.
 *
 * - `method`: neither GET nor HEAD, or a middleware made it so; `body`: it has a body;
 * - `upgrade`: it asks for another protocol; `conditions`: it asks to change nothing that has changed (`If-Match`);
 * - `target`: what is asked for is no path; `host`: no valid `Host`;
 * - `query`: a parameter that was not declared; `per`: `per` does not say whose answer this is.
 */
export type Bypass = 'method' | 'body' | 'upgrade' | 'conditions' | 'target' | 'host' | 'query' | 'per';

/**
 * Fields that say how a request was sent on its way. A handler, or a middleware before it, may take its host, its links or its
 * path from them, and anybody may send them: whoever sends another value gets an answer of his own.
 */
export const routingFields = [
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-forwarded-scheme',
  'x-forwarded-ssl',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-path',
  'x-forwarded-uri',
  'x-forwarded-server',
  'x-original-url',
  'x-original-uri',
  'x-original-host',
  'x-rewrite-url',
  'x-host',
  'x-url-scheme',
  'x-script-name',
  'front-end-https',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
] as const;

/** Returns the key of the answer to a request, or why it passes the cache. Never throws. */
export function primaryKey<Request extends KeyRequest>(req: Request, rules: KeyRules<Request>): PrimaryKey | Bypass {
  const { headers, url = '' } = req;
  const why = unfit(req);
  if (why !== undefined) return why;
  const target = req.originalUrl ?? url;
  if (!isSoundTarget(target)) return 'target';
  const origin = originOf(req);
  if (origin === undefined) return 'host';
  const search = target.indexOf('?');
  const query = search === -1 ? '' : target.slice(search + 1);
  if (rules.query !== 'all' && !hasOnly(query, rules.query)) return 'query';

  const uri = uriKey(origin.text, target);
  // No URI has a "#", nor has any part: each begins with one.
  let rest = routing(headers);
  if (origin.written !== undefined) rest += `#host=${part(origin.written)}`;
  if (isRewritten(req.baseUrl ?? '', url, target)) rest += `#base=${part(req.baseUrl ?? '')}#url=${part(url)}`;
  // Who takes any query may read its parameters in any way.
  if (rules.query === 'all' && !uri.endsWith(query)) rest += `#query=${part(query)}`;
  if (rules.per !== undefined) {
    const whose = identity(rules.per, req);
    if (whose === undefined) return 'per';
    rest += `#per=${whose}`;
  }
  if (rules.vary.length > 0)
    rest += `#vary=${part(variantKey(rules.vary, headers, { anyOrder: rules.byLanguage === true }))}`;
  return rest === '' ? { key: uri, uri, tag: undefined } : { key: uri + rest, uri, tag: uriTag(uri) };
}

/**
 * Returns what alone decides which key a request has, or `undefined` where more does: then the key is to be written anew. Two
 * requests of one route with the same text have the same key.
 */
export function plainText<Request extends KeyRequest>(req: Request, rules: KeyRules<Request>): string | undefined {
  const { headers, url = '', originalUrl, baseUrl = '' } = req;
  if (rules.per !== undefined || rules.vary.length > 0 || typeof headers['host'] !== 'string') return undefined;
  const target = originalUrl ?? url;
  if (baseUrl + url !== target) return undefined;
  if (unfit(req) !== undefined) return undefined;
  if (hasRoutingField(headers)) return undefined;
  // Neither a field nor a target has a line break; of a rewritten one the rest would not fit.
  return `${headers['host']}\n${target}\n${baseUrl.length}${req.socket.encrypted === true ? 's' : ''}`;
}

export function unfit({ method, originalMethod, headers }: KeyRequest): Bypass | undefined {
  if (method !== 'GET' && method !== 'HEAD') return 'method';
  if (originalMethod !== undefined && originalMethod !== method) return 'method';
  // RFC 9110 section 9.3.1: a body of a GET has no meaning that a cache could know.
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)) return 'body';
  if (headers['upgrade'] !== undefined) return 'upgrade';
  // RFC 9111 section 4.3.2: these are for the origin, and no cache answers them.
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return 'conditions';
  return undefined;
}

const isRoutingField: ReadonlySet<string> = new Set([...routingFields, 'forwarded']);

/** Most requests have none of them, and this costs less than to ask for each. */
export function hasRoutingField(headers: Fields): boolean {
  for (const name in headers) if (isRoutingField.has(name)) return true;
  return false;
}

function routing(headers: Fields): string {
  return hasRoutingField(headers) ? routingText(headers) : '';
}

/** In one order, whatever the order of the fields is. */
function routingText(headers: Fields): string {
  let text = '';
  for (const name of routingFields) {
    const value = headers[name];
    if (value !== undefined) text += `#${name}=${part(String(value))}`;
  }
  const forwarded = headers['forwarded'];
  return forwarded === undefined ? text : text + withoutNodes(String(forwarded));
}

/** A parameter of `Forwarded` (RFC 7239 section 4) whose value can be nothing but a name or an address. */
const forwardedPair = /^[ \t]*([a-z]+)=(?:[\w.:-]+|"[\w.:[\]-]*")[ \t]*$/i;

/**
 * `Forwarded` names the client and the proxy too. As with `X-Forwarded-For`, not every client gets an answer of his own: these are
 * left out, unless anything in the field is unusual.
 */
function withoutNodes(forwarded: string): string {
  const kept: string[] = [];
  for (const element of forwarded.split(',')) {
    for (const pair of element.split(';')) {
      const name = forwardedPair.exec(pair)?.[1]?.toLowerCase();
      if (name === undefined) return `#forwarded=${part(forwarded)}`;
      if (name !== 'for' && name !== 'by') kept.push(pair.trim());
    }
    kept.push(',');
  }
  return kept.every((text) => text === ',') ? '' : `#forwarded=${part(kept.join(';'))}`;
}

/** Tells whether a middleware changed `url`: what routers take off it stands in `base`. */
export function isRewritten(base: string, url: string, target: string): boolean {
  if (base === '') return url !== target;
  if (base + url === target) return false;
  // Express puts a "/" before what is left of "/base" and "/base?query".
  return !(url === '/' || url.startsWith('/?')) || base + url.slice(1) !== target;
}

function identity<Request>(per: (req: Request) => unknown, req: Request): string | undefined {
  let id: unknown;
  try {
    id = per(req);
  } catch {
    return undefined;
  }
  if (typeof id === 'string') return `"${part(id)}`;
  return typeof id === 'number' && Number.isFinite(id) ? `${id}` : undefined;
}

const plain = /^[\x21\x22\x24\x26-\x7e]*$/;

/** Writes a text without "#", and no two texts alike. */
function part(text: string): string {
  if (plain.test(text)) return text;
  try {
    return encodeURIComponent(text);
  } catch {
    // A lone surrogate, which JSON escapes.
    return `%%${encodeURIComponent(JSON.stringify(text))}`;
  }
}
