/** Tells whose limit a request counts against, if nobody says otherwise: its client's address, and the route. */

import { addressBucket } from '../../limits/address.ts';
import { HotshelfError } from '../../support/errors.ts';
import type { IncomingLike } from '../request.ts';

/** What Express adds to a request, as far as it tells who asks and for what. */
export interface ClientRequest extends IncomingLike {
  /** The client's address, by `trust proxy`. */
  readonly ip?: string | undefined;
  /** The route that was found: its path is a pattern. */
  readonly route?: { readonly path?: unknown } | undefined;
  readonly app?: { get(name: string): unknown } | undefined;
}

/** Addresses of nobody (RFC 5737, RFC 3849): who trusts these as proxies trusts everybody. */
const nobody = ['192.0.2.1', '203.0.113.1', '2001:db8::1'] as const;

/** More proxies than anybody has. */
const farHop = 1000;

export class Clients {
  readonly #ipv6Bits: number;
  readonly #where: string;
  #checked: unknown;
  #warned = false;

  /** @param where how the caller wrote the call: `rateLimit()` */
  constructor(ipv6Bits: number, where: string) {
    this.#ipv6Bits = ipv6Bits;
    this.#where = where;
  }

  /**
   * Returns the bucket of the client's address, and the pattern of the route, such as `/cities/:id`.
   *
   * What the client wrote is no part of it, neither the path nor the part of it that routers took off (`req.baseUrl`): a path
   * with a number in it, or with letters in another case, would be a new bucket.
   *
   * @throws {HotshelfError} `OPTION_INVALID` if the Express app lets every client say what its address is.
   */
  keyOf(req: ClientRequest): readonly string[] {
    const { app } = req;
    if (app !== undefined && app !== this.#checked) {
      this.#checkTrust(app);
      this.#checked = app;
    }
    if (!this.#warned) this.#warnOfProxy(req);
    const bucket = addressBucket(req.ip ?? req.socket?.remoteAddress, this.#ipv6Bits);
    const pattern = patternOf(req.route?.path);
    return pattern === undefined ? [bucket] : [bucket, pattern];
  }

  #checkTrust(app: { get(name: string): unknown }): void {
    const trusts = app.get('trust proxy fn');
    if (typeof trusts !== 'function' || !nobody.every((address) => trusts(address, farHop) === true)) return;
    throw new HotshelfError(
      'OPTION_INVALID',
      `This app trusts every proxy ("trust proxy" is true), so each client can write any address into X-Forwarded-For and get past ${this.#where}. ` +
        `Set it to the number of proxies in front of it, as app.set('trust proxy', 1), or to their addresses; or give ${this.#where} a \`key\`.`,
    );
  }

  /** All clients of a proxy that is not trusted have one address. */
  #warnOfProxy({ app, headers }: ClientRequest): void {
    if (headers['x-forwarded-for'] === undefined || app === undefined || app.get('trust proxy') !== false) return;
    this.#warned = true;
    process.emitWarning(
      `A request to ${this.#where} came with X-Forwarded-For, and this app trusts no proxy: if there is one, all its clients share one limit. ` +
        `Then set the number of proxies, as app.set('trust proxy', 1).`,
      { code: 'HOTSHELF_TRUST_PROXY' },
    );
  }
}

/** A route may have a text, a regular expression, or several of both. */
function patternOf(path: unknown): string | undefined {
  if (Array.isArray(path)) return JSON.stringify(path.map(patternOf));
  if (path instanceof RegExp) return path.toString();
  return typeof path === 'string' ? path : undefined;
}
