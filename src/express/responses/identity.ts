/** Notices when a handler reads who is asking: its answer is then for nobody else. */

import { watchFields, type WatchedFields } from './watched-fields.ts';
import { watchProperty } from './watched-property.ts';

export interface IdentityWatch {
  /** What was read first, such as `req.session`; `undefined` while nothing was. */
  readonly personal: string | undefined;
  /** Runs what belongs to others than the handler, such as a `writeHead` that a middleware patched: what it reads does not count. */
  pause<Result>(work: () => Result): Result;
  /** Leaves the request as it would be if it had never been watched. What is read from now on does not count. */
  end(): void;
}

/**
 * Where middleware puts who is asking, or what it makes for one session alone: express-session, cookie-parser, passport,
 * express-jwt, express-openid-connect, Keycloak, Okta, express-bearer-token, csurf and their kin.
 */
export const identityProperties = [
  'session',
  'sessionID',
  'user',
  'currentUser',
  'auth',
  'authInfo',
  'oidc',
  'appSession',
  'kauth',
  'userContext',
  'token',
  'csrfToken',
  'cookies',
  'signedCookies',
] as const;

/** The same in `res.locals`, where templates find it; and nonces, which are good for one answer. */
const identityLocals = ['user', 'currentUser', 'session', 'csrfToken', '_csrf', 'nonce', 'cspNonce'] as const;

/** Request fields that say who is asking, or that proxies add once they know. */
export const identityFields: ReadonlySet<string> = new Set([
  'cookie',
  'authorization',
  'proxy-authorization',
  'api-key',
  'x-api-key',
  'x-auth-token',
  'x-access-token',
  'x-session-id',
  'x-user-id',
  'remote-user',
  'x-remote-user',
  'x-webauth-user',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-preferred-username',
  'x-forwarded-access-token',
  'x-forwarded-client-cert',
  'x-auth-request-user',
  'x-auth-request-email',
  'x-auth-request-access-token',
  'x-goog-authenticated-user-email',
  'x-goog-authenticated-user-id',
  'x-goog-iap-jwt-assertion',
  'x-amzn-oidc-accesstoken',
  'x-amzn-oidc-data',
  'x-amzn-oidc-identity',
  'x-ms-client-principal',
  'x-ms-client-principal-id',
  'x-ms-client-principal-name',
  'cf-access-authenticated-user-email',
  'cf-access-jwt-assertion',
]);

/**
 * Watches a request from now on. Everything that reads it counts until `end`, except inside `pause`: nobody can tell the handler
 * from others that run meanwhile.
 *
 * Also what is not there counts: the page for somebody who is not signed in is as personal as any other. What other middleware
 * derived from the request before, and keeps elsewhere than in `res.locals`, is not seen.
 */
export function watchIdentity(req: object): IdentityWatch {
  return new Watch(req);
}

class Watch implements IdentityWatch {
  personal: string | undefined;
  #pauses = 0;
  #ended = false;
  readonly #ends: (() => void)[] = [];

  constructor(req: object) {
    // Node makes this object when it is asked for, from `rawHeaders`.
    this.#watchFields(req, 'headers');
    this.#watchFields(req, 'headersDistinct');
    this.#watch(req, 'req', 'rawHeaders');
    for (const name of identityProperties) this.#watch(req, 'req', name);
    const locals = localsOf(req);
    if (locals === undefined) return;
    for (const name of identityLocals) this.#watch(locals, 'res.locals', name);
  }

  readonly pause = <Result>(work: () => Result): Result => {
    this.#pauses += 1;
    try {
      return work();
    } finally {
      this.#pauses -= 1;
    }
  };

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const end of this.#ends.toReversed()) end();
  }

  #notice(what: string): void {
    if (!this.#ended && this.#pauses === 0) this.personal ??= what;
  }

  #watch(target: object, title: string, name: string): void {
    const seen = () => this.#notice(`${title}.${name}`);
    this.#ends.push(watchProperty(target, name, { seen, quietly: this.pause }));
  }

  #watchFields(req: object, property: string): void {
    const title = `req.${property}`;
    const watched = new Map<object, WatchedFields>();
    const seen = (name?: string) => this.#notice(name === undefined ? title : `${title}.${name}`);
    const shown = (value: unknown) => {
      if (this.#ended || typeof value !== 'object' || value === null) return value;
      const known = watched.get(value);
      if (known !== undefined) return known.shown;
      const fields = watchFields(value, { names: identityFields, seen, quietly: this.pause });
      watched.set(value, fields);
      this.#ends.push(fields.end);
      return fields.shown;
    };
    // Those that are there from the start may have been kept by somebody.
    if (property === 'headers') shown(this.pause((): unknown => Reflect.get(req, property)));
    if (!(property in req)) return;
    this.#ends.push(watchProperty(req, property, { seen: () => {}, shown, quietly: this.pause }));
  }
}

/** Express's `res.locals`, where middleware leaves for templates what it knows. */
function localsOf(req: object): object | undefined {
  const res: unknown = Reflect.get(req, 'res');
  const locals: unknown = typeof res === 'object' && res !== null ? Reflect.get(res, 'locals') : undefined;
  return typeof locals === 'object' && locals !== null ? locals : undefined;
}
