/** Tells which URI a request is for, and under which key and tag its answers are found. */

import type { Fields, FieldValue } from '../../http/fields.ts';
import { sortedQuery } from './query.ts';

/** What is read of a request to know its URI: of Express 5 and 4, of `node:http` and of `node:http2`. */
export interface UriRequest {
  readonly headers: Fields;
  readonly url?: string | undefined;
  /** The target as it was received, where a framework changes `url`. */
  readonly originalUrl?: string;
  /** The scheme as Express trusts it. */
  readonly protocol?: unknown;
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean };
  readonly app?: { get(name: string): unknown };
}

/** Scheme and host. */
export interface Origin {
  /** In the one way in which it stands in keys: `https://example.com`. */
  readonly text: string;
  /** What the request's `Host` says, if that differs: a handler may repeat it in its answer. */
  readonly written: string | undefined;
}

/** How the answers for a URI are found. */
export interface UriKeys {
  /** The absolute URI. */
  readonly url: string;
  /** The key of the answer that depends on nothing but the URI. */
  readonly key: string;
  /** The tag of all other answers for it. */
  readonly tag: string;
}

// RFC 3986 section 3.2.2, without what only confuses: user names, lists, empty ports.
const soundHost = /^(?:[a-z\d._~%-]+|\[[a-f\d:.]+\])(?::\d{1,5})?$/;
/** Bytes that a request target may have (RFC 9112 section 3.2.1): no space, no control character, no fragment. */
const soundTarget = /^\/[\x21\x22\x24-\x7e\x80-\xff]*$/;

/** True for a path with or without a query, as a request line has it. */
export function isSoundTarget(target: string): boolean {
  return soundTarget.test(target);
}

/** Returns scheme and host as Express trusts them; `undefined` without a valid `Host`. Never throws. */
export function originOf(req: UriRequest): Origin | undefined {
  try {
    const scheme = typeof req.protocol === 'string' ? req.protocol : req.socket.encrypted === true ? 'https' : 'http';
    const text = originText(scheme.toLowerCase(), trustedHostOf(req));
    if (text === undefined) return undefined;
    const host = receivedHostOf(req);
    return { text, written: typeof host !== 'string' || text.endsWith(`/${host}`) ? undefined : host };
  } catch {
    // Express asks the socket for its address; an invented request has none.
    return undefined;
  }
}

/** As `req.host` of Express 5, which knows the port; that of Express 4 does not, and two ports are two hosts. */
function trustedHostOf(req: UriRequest): FieldValue {
  const forwarded = req.headers['x-forwarded-host'];
  if (typeof forwarded !== 'string' || forwarded === '' || !trustsProxy(req)) return receivedHostOf(req);
  const end = forwarded.indexOf(',');
  return end === -1 ? forwarded : forwarded.slice(0, end).trimEnd();
}

/** RFC 9113 section 8.3.1: HTTP/2 has `:authority` in the place of `Host`. */
function receivedHostOf({ headers }: UriRequest): FieldValue {
  return headers['host'] ?? headers[':authority'];
}

function trustsProxy({ app, socket }: UriRequest): boolean {
  const trusts: unknown = typeof app?.get === 'function' ? app.get('trust proxy fn') : undefined;
  return typeof trusts === 'function' && Boolean(trusts(socket.remoteAddress, 0));
}

function originText(scheme: string, host: FieldValue): string | undefined {
  if (typeof host !== 'string' || (scheme !== 'http' && scheme !== 'https')) return undefined;
  // RFC 9110 section 4.2.3: the host has no case, and the default port need not be written.
  const lower = host.toLowerCase();
  if (!soundHost.test(lower)) return undefined;
  const port = scheme === 'http' ? ':80' : ':443';
  return `${scheme}://${lower.endsWith(port) ? lower.slice(0, -port.length) : lower}`;
}

/** Returns the key of the URI alone: nothing is normalized but the order of parameters with plain names. */
export function uriKey(origin: string, target: string): string {
  const at = target.indexOf('?');
  if (at === -1) return origin + target;
  return `${origin}${target.slice(0, at + 1)}${sortedQuery(target.slice(at + 1))}`;
}

/** Returns the tag of the answers for the URI with this key that depend on more than the URI. */
export function uriTag(key: string): string {
  return `uri#${key}`;
}

/**
 * Returns how the answers are found that a change of this request's URI makes untrue; `undefined` where the request has no
 * valid one.
 */
export function targetKeys(req: UriRequest): UriKeys | undefined {
  const from = originOf(req);
  const target = pathOf(req.originalUrl ?? req.url ?? '');
  return from === undefined || !isSoundTarget(target) ? undefined : keysOf(from.text, target);
}

/** As `targetKeys`, for an absolute `http` or `https` URL, such as one that `Location` names. */
export function urlKeys(url: string): UriKeys | undefined {
  const start = url.indexOf('://');
  if (start === -1) return undefined;
  const authority = url.slice(start + 3).split(/[/?#]/, 1)[0];
  const from = originText(url.slice(0, start).toLowerCase(), authority);
  const target = pathOf(url);
  return from === undefined || !isSoundTarget(target) ? undefined : keysOf(from, target);
}

function keysOf(origin: string, target: string): UriKeys {
  const key = uriKey(origin, target);
  return { url: origin + target, key, tag: uriTag(key) };
}

/** Returns path and query of a target in any form (RFC 9112 section 3.2): Express takes the path of an absolute one too. */
function pathOf(target: string): string {
  const fragment = target.indexOf('#');
  const whole = fragment === -1 ? target : target.slice(0, fragment);
  if (whole.startsWith('/')) return whole;
  const start = whole.indexOf('://');
  if (start === -1) return whole;
  const authorityEnd = whole.slice(start + 3).search(/[/?]/);
  if (authorityEnd === -1) return '/';
  const path = whole.slice(start + 3 + authorityEnd);
  return path.startsWith('/') ? path : `/${path}`;
}
