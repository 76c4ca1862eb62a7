/** Holds what all requests to one `cacheResponses()` share. */

import { bareNamespace, type Cache, spaceOf } from '../../cache/cache.ts';
import type { Space } from '../../cache/space.ts';
import type { CacheStatus } from '../../http/cache-status.ts';
import { formatCacheStatus } from '../../http/cache-status.ts';
import type { ResponseHead } from '../../http/fields.ts';
import type { StoreRules } from '../../http/storing.ts';
import type { Clock } from '../../support/clock.ts';
import { durationMs } from '../../support/duration.ts';
import { BoundedMap } from '../../support/bounded-map.ts';
import { type Bypass, plainText, type PrimaryKey, primaryKey } from './key.ts';
import type { ResponseRules } from './options.ts';
import type { IncomingLike } from '../request.ts';
import { answerCodec, type Variants } from './stored.ts';

/** So many URIs are remembered whose answers differ in more ways than their kept variants say. */
const rememberedUris = 1000;
/** Longer texts are not remembered. */
const longestText = 512;

export class Route<Request extends IncomingLike> {
  readonly rules: ResponseRules<Request>;
  readonly cache: Cache;
  readonly space: Space;
  readonly clock: Clock;
  /** What `Cache-Status` calls this cache. */
  readonly name: string;
  /** Ways in which the answers for a URI were seen to differ, by its key. */
  readonly seenNames = new BoundedMap<string, Variants['names']>(rememberedUris);
  /** Keys of answers that the handler is making now. */
  readonly making = new Set<string>();
  /** Keys of answers that others could not have, a while ago. */
  readonly notForOthers = new BoundedMap<string, true>(rememberedUris);
  /** Keys of answers in a language, by what else they depend on; see `languages.ts`. */
  readonly inLanguage = new BoundedMap<string, string>(rememberedUris);
  /** Told of each request that was answered with what this process has at hand. */
  readonly listeners = new Set<(req: Request, at: PrimaryKey) => void>();
  readonly #jitter: number;
  readonly #keys = new BoundedMap<string, PrimaryKey>(rememberedUris);

  constructor(rules: ResponseRules<Request>) {
    this.rules = rules;
    this.cache = bareNamespace(rules.cache, rules.name, { codec: answerCodec, jitter: 0 });
    this.space = spaceOf(this.cache);
    this.clock = this.space.shelf.clock;
    this.name = formatCacheStatus({ cache: rules.statusName });
    this.#jitter = spaceOf(rules.cache).policy.jitter;
  }

  /** Returns the key of the answer to a request, or why it passes the cache. */
  keyOf(req: Request): PrimaryKey | Bypass {
    const text = plainText(req, this.rules);
    if (text === undefined || text.length > longestText) return primaryKey(req, this.rules);
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const at = primaryKey(req, this.rules);
    if (typeof at !== 'string') this.#keys.set(text, at);
    return at;
  }

  /** Returns what decides whether this answer may be kept, and for how long. */
  storeRules(req: Request, answer: ResponseHead): StoreRules {
    const { rules } = this;
    const { ttl } = rules;
    const said = typeof ttl === 'function' ? ttl(answer, req) : ttl;
    const ttlMs = said === undefined ? (ttl === undefined ? undefined : 0) : durationMs(said, 'ttl', { orZero: true });
    return {
      targets: rules.targets,
      heuristic: rules.heuristic,
      // Answers that were stored together are not all made again together.
      ttlMs: ttlMs === undefined ? undefined : Math.ceil(ttlMs * (1 - this.#jitter * this.clock.random())),
      graceMs: rules.graceMs,
      swrMs: rules.swrMs,
      authorized: rules.public || rules.per !== undefined,
      storeErrors: rules.storeErrors,
      storeSetCookie: rules.storeSetCookie,
      keepStaleMs: rules.keepStaleMs,
      requestDirectives: rules.requestDirectives,
    };
  }

  /** Returns the member of `Cache-Status` that says this. */
  statusOf(status: Omit<CacheStatus, 'cache'>): string {
    return formatCacheStatus({ cache: this.rules.statusName, ...status });
  }

  /** Returns the member of `Server-Timing` for what took so long, if the route wants one. */
  timingOf(startedAt: number, what: string): string | undefined {
    if (!this.rules.serverTiming) return undefined;
    return `cache;desc=${what};dur=${(this.clock.monotonic() - startedAt).toFixed(2)}`;
  }
}

const routes = new WeakMap<object, Route<IncomingLike>>();

/** Remembers which route a middleware is of. */
export function markRoute<Request extends IncomingLike>(middleware: object, route: Route<Request>): void {
  routes.set(middleware, route as unknown as Route<IncomingLike>);
}

/** Returns the route that a middleware is of; `undefined` for any other function. */
export function routeOf(middleware: object): Route<IncomingLike> | undefined {
  return routes.get(middleware);
}
