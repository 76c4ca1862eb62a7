/** The options of the response cache: names, units, defaults and checks. */

import { Cache } from '../../cache/cache.ts';
import { checkName, type Key } from '../../cache/key.ts';
import type { ResponseHead } from '../../http/fields.ts';
import { type Duration, durationMs } from '../../support/duration.ts';
import { checkOptionNames } from '../../support/options.ts';
import type { KeyRules } from './key.ts';
import {
  bytes,
  checkCompress,
  checkQuery,
  checkStatusName,
  checkTags,
  checkTarget,
  checkVary,
  flag,
  invalid,
  span,
  where,
  wrong,
} from './option-checks.ts';
import type { IncomingLike } from '../request.ts';

/** What a handler answered, before its body: the status, and the fields by lower-case name. */
export type AnswerHead = ResponseHead;

export interface ResponseCacheOptions<Request extends IncomingLike = IncomingLike> {
  /** Where answers are kept: what `createCache` returned. */
  cache: Cache;
  /**
   * The namespace of the cache that answers are kept in. Routes with one name share an answer for a URI, and what changes it
   * through one route ends it for all of them.
   * @default 'responses'
   */
  name?: string;
  /**
   * How long an answer is fresh, or a function of the answer and the request that says so: with 0 or `undefined` it is not
   * stored. What is said here takes the place of the lifetime in the handler's header fields. What these forbid, stays forbidden.
   * @default what the handler's Cache-Control says, and without it nothing is stored
   */
  ttl?: Duration | ((answer: AnswerHead, req: Request) => Duration | undefined);
  /**
   * How long after its ttl an answer may still help when the handler fails. Needs `ttl`.
   * @default what the handler's `stale-if-error` says
   */
  grace?: Duration;
  /**
   * How long after its ttl an answer is served at once while the handler makes a new one behind. Needs `ttl`.
   * @default what the handler's `stale-while-revalidate` says
   */
  swr?: Duration;
  /**
   * The answers are the same for everybody, also for those who send cookies or credentials, and where the handler reads who is
   * asking.
   * @default false
   */
  public?: boolean;
  /**
   * Whose answer this is, such as the id of the user: each gets answers of his own. With `undefined` the request passes the cache.
   * `7` and `'7'` are two.
   * @default nobody's: answers for which the handler read who is asking are not stored
   */
  per?: (req: Request) => string | number | undefined;
  /**
   * The query parameters that the answer depends on, by their decoded names; a request with others passes the cache. With
   * `'all'` every query has answers of its own: anybody can then fill the cache.
   * @default none
   */
  query?: readonly string[] | 'all';
  /**
   * Request fields that every answer depends on. Those that the handler names in `Vary` need not be here; here they save a read.
   * @default none
   */
  vary?: readonly string[];
  /**
   * Answers that differ by `Accept-Language` differ by their language and by nothing else: `de, en` and `en, de` get the same one,
   * and one with `Content-Language: de` is for everybody who likes German best. Not for handlers that go by the order of equals, as
   * Express's `req.acceptsLanguages()` does.
   * @default false
   */
  byLanguage?: boolean;
  /**
   * Labels of the answers, for `invalidateTags`, or a function that gives those of one answer.
   * @default none
   */
  tags?: readonly Key[] | ((req: Request, answer: AnswerHead) => readonly Key[]);
  /**
   * The most bytes of a body that is stored; a longer one streams through.
   * @default 1_048_576
   */
  maxBodyBytes?: number;
  /**
   * Store bodies compressed, and send them so to clients that accept it: those of at least `above` bytes, by default 1,024.
   * @default false
   */
  compress?: boolean | { above?: number };
  /**
   * Say in `Server-Timing` how long the cache took.
   * @default false
   */
  serverTiming?: boolean;
  /**
   * The name of this cache in `Cache-Status`.
   * @default 'hotshelf'
   */
  statusName?: string;
  /**
   * A field in which handlers speak to this cache alone, such as `Hotshelf-Cache-Control`. It goes before `CDN-Cache-Control`, and
   * that before `Cache-Control`.
   * @default none
   */
  target?: string;
  /**
   * Also store answers that say nothing of their lifetime but when they last changed: for a tenth of their age.
   * @default false
   */
  heuristic?: boolean;
  /**
   * Do what the Cache-Control of a request says. Clients can then pass the cache at will.
   * @default false
   */
  requestDirectives?: boolean;
  /**
   * Also store errors of the server (5xx) whose header fields give them a lifetime.
   * @default false
   */
  storeErrors?: boolean;
  /**
   * Also store answers with `Set-Cookie`: everybody then gets the same cookie.
   * @default false
   */
  unsafeStoreSetCookie?: boolean;
  /**
   * How long a stale answer is kept that the handler can be asked to confirm: one with an `ETag` or `Last-Modified`.
   * @default '1h'
   */
  keepStale?: Duration;
  /**
   * How long a request waits for the answer that another one is having made before it asks the handler by itself.
   * @default that of the cache
   */
  wait?: Duration;
}

/** Options after every default was applied: spans in ms, names in lower case. */
export interface ResponseRules<Request extends IncomingLike = IncomingLike> extends KeyRules<Request> {
  readonly cache: Cache;
  readonly name: string;
  /** In ms; `undefined`: as the handler says. */
  readonly ttl: number | ((answer: AnswerHead, req: Request) => Duration | undefined) | undefined;
  /** `undefined`: as the handler says. */
  readonly graceMs: number | undefined;
  /** `undefined`: as the handler says. */
  readonly swrMs: number | undefined;
  readonly public: boolean;
  readonly byLanguage: boolean;
  readonly tags: readonly Key[];
  readonly tagsOf: ((req: Request, answer: AnswerHead) => readonly Key[]) | undefined;
  readonly maxBodyBytes: number;
  /** Shorter bodies are not compressed; infinite where none is. */
  readonly compressAboveBytes: number;
  readonly serverTiming: boolean;
  readonly statusName: string;
  /** Targeted fields, the first one first. RFC 9213 section 2.2. */
  readonly targets: readonly string[];
  readonly heuristic: boolean;
  readonly requestDirectives: boolean;
  readonly storeErrors: boolean;
  readonly storeSetCookie: boolean;
  readonly keepStaleMs: number;
  /** `undefined`: that of the cache. */
  readonly waitMs: number | undefined;
}

export const defaults = {
  name: 'responses',
  public: false,
  byLanguage: false,
  maxBodyBytes: 1_048_576,
  compress: false,
  serverTiming: false,
  statusName: 'hotshelf',
  heuristic: false,
  requestDirectives: false,
  storeErrors: false,
  unsafeStoreSetCookie: false,
  keepStale: '1h',
} as const;

const names = [
  ...Object.keys(defaults),
  'cache',
  'ttl',
  'grace',
  'swr',
  'per',
  'query',
  'vary',
  'tags',
  'target',
  'wait',
];

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkOptions<Request extends IncomingLike>(
  options: ResponseCacheOptions<Request>,
): ResponseRules<Request> {
  checkOptionNames(options ?? null, names, where);
  const { cache, ttl, per, tags = [] } = options;
  const {
    name = defaults.name,
    maxBodyBytes = defaults.maxBodyBytes,
    compress = defaults.compress,
    statusName = defaults.statusName,
    keepStale = defaults.keepStale,
  } = options;
  if (!(cache instanceof Cache)) throw wrong('cache', 'a cache that createCache() returned', cache);
  const isPublic = flag(options.public, 'public');
  checkWhose(per, isPublic);
  for (const late of ['grace', 'swr'] as const) {
    if (options[late] === undefined || ttl !== undefined) continue;
    throw invalid(
      `${where} has \`${late}\` and no \`ttl\`. Give both, or let the handler say \`${directives[late]}\` in its Cache-Control.`,
    );
  }
  return {
    cache,
    name: checkName(name, `\`name\` of ${where}`),
    ttl: ttl === undefined || typeof ttl === 'function' ? ttl : durationMs(ttl, 'ttl'),
    graceMs: span(options.grace, 'grace'),
    swrMs: span(options.swr, 'swr'),
    public: isPublic,
    per,
    query: checkQuery(options.query),
    vary: checkVary(options.vary),
    byLanguage: flag(options.byLanguage, 'byLanguage'),
    tags: typeof tags === 'function' ? [] : checkTags(tags),
    tagsOf: typeof tags === 'function' ? tags : undefined,
    maxBodyBytes: bytes(maxBodyBytes, 'maxBodyBytes', 1),
    compressAboveBytes: checkCompress(compress),
    serverTiming: flag(options.serverTiming, 'serverTiming'),
    statusName: checkStatusName(statusName),
    targets: checkTarget(options.target),
    heuristic: flag(options.heuristic, 'heuristic'),
    requestDirectives: flag(options.requestDirectives, 'requestDirectives'),
    storeErrors: flag(options.storeErrors, 'storeErrors'),
    storeSetCookie: flag(options.unsafeStoreSetCookie, 'unsafeStoreSetCookie'),
    keepStaleMs: durationMs(keepStale, 'keepStale', { orZero: true }),
    waitMs: span(options.wait, 'wait'),
  };
}

const directives = { grace: 'stale-if-error', swr: 'stale-while-revalidate' } as const;

function checkWhose(per: unknown, isPublic: boolean): void {
  if (per === undefined) return;
  if (typeof per !== 'function') throw wrong('per', 'a function of the request', per);
  if (!isPublic) return;
  throw invalid(
    `${where} has both \`public\` and \`per\`: answers are the same for everybody, or each has his own. Leave one of them out.`,
  );
}
