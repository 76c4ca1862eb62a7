/** Lists the options of `sessions()` and refuses those that would weaken a session in silence. */

import type { CookieOptions } from 'express-session';
import type { Duration } from '../support/duration.ts';
import { HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { isObject } from './content.ts';
import { expected } from './errors.ts';
import { given, type SessionStoreOptions, storeNames } from './options.ts';

export interface SessionsOptions extends SessionStoreOptions {
  /** Signs the cookie. Of several the first one signs and all of them are accepted: put a new one in front to rotate. */
  secret: string | readonly string[];
  /** Whether the rules of production hold: `Secure`, `__Host-`, and secrets of 32 characters. @default NODE_ENV is 'production' */
  production?: boolean;
  /** The name of the cookie. @default '__Host-sid' in production, else 'sid' */
  name?: string;
  /** Settings of the cookie, over `httpOnly: true`, `sameSite: 'lax'`, `path: '/'`, and `secure: true` in production. */
  cookie?: Omit<CookieOptions, 'expires'>;
  /** Send the cookie with each response, so that it lives as long as the session where it has a `maxAge`. @default false */
  rolling?: boolean;
  /** Whether `X-Forwarded-Proto` says that a request came by TLS. @default what Express says with `trust proxy` */
  proxy?: boolean;
  /** How long a save may take before the request fails. @default '5s' */
  timeout?: Duration;
}

export const sessionsNames: readonly (keyof SessionsOptions)[] = [
  ...storeNames,
  'secret',
  'production',
  'name',
  'cookie',
  'rolling',
  'proxy',
  'timeout',
];

const cookieNames: readonly (keyof CookieOptions)[] = [
  'maxAge',
  'httpOnly',
  'path',
  'domain',
  'secure',
  'sameSite',
  'priority',
  'partitioned',
  'signed',
  'encode',
];

/** What express-session is told. */
export interface Preset {
  readonly secret: string[];
  readonly name: string;
  readonly cookie: CookieOptions;
  readonly rolling: boolean;
  readonly proxy: boolean | undefined;
}

const shortestSecret = 32;
const cookieName = /^[\w!#$%&'*+.^`|~-]+$/;

/** @throws {HotshelfError} `OPTION_INVALID`; the message never shows a secret. */
export function checkPreset(options: SessionsOptions, nodeEnv: string | undefined): Preset {
  const { production = nodeEnv === 'production', cookie = {}, rolling = false, proxy } = options;
  if (typeof production !== 'boolean') throw expected('`production` to be true or false', production);
  if (typeof rolling !== 'boolean') throw expected('`rolling` to be true or false', rolling);
  if (proxy !== undefined && typeof proxy !== 'boolean') throw expected('`proxy` to be true or false', proxy);
  if (!isObject(cookie)) throw expected('`cookie` to be an object', cookie);
  checkOptionNames(cookie, cookieNames, '`cookie`');
  const whole: CookieOptions = { httpOnly: true, sameSite: 'lax', path: '/', secure: production, ...given(cookie) };
  const name = options.name ?? (production && isHostOnly(whole) ? '__Host-sid' : 'sid');
  if (typeof name !== 'string' || !cookieName.test(name)) throw expected('`name` to be the name of a cookie', name);
  checkCookie(name, whole);
  return { secret: checkSecrets(options.secret, production), name, cookie: whole, rolling, proxy };
}

function checkSecrets(secret: unknown, production: boolean): string[] {
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret];
  if (secrets.length === 0) throw invalid('Expected `secret` of sessions() to have at least one secret in it.');
  return secrets.map((one) => {
    if (one !== undefined && typeof one !== 'string') {
      throw invalid('Expected `secret` of sessions() to be a text, or an array of texts.');
    }
    if (one === undefined || one === '') {
      throw invalid('sessions() needs a `secret` to sign cookies with: `openssl rand -base64 32` makes one.');
    }
    if (production && one.length < shortestSecret) {
      throw invalid(
        `A secret of sessions() has ${one.length} characters; production needs ${shortestSecret}. \`openssl rand -base64 32\` makes one.`,
      );
    }
    return one;
  });
}

function checkCookie(name: string, cookie: CookieOptions): void {
  const { sameSite, secure, partitioned, maxAge } = cookie;
  if (!sameSites.includes(sameSite))
    throw expected("`cookie.sameSite` to be 'lax', 'strict', 'none' or a boolean", sameSite);
  if (
    maxAge !== undefined &&
    maxAge !== null &&
    !(typeof maxAge === 'number' && maxAge > 0 && Number.isFinite(maxAge))
  ) {
    throw expected('`cookie.maxAge` to be a number of ms above 0', maxAge);
  }
  if (sameSite === 'none' && !secure) {
    throw invalid("A cookie with sameSite: 'none' needs secure: true; browsers refuse it without.");
  }
  if (partitioned === true && !secure) {
    throw invalid('A cookie with partitioned: true needs secure: true; browsers refuse it without.');
  }
  // Browsers take the prefix in any case.
  if (/^__secure-/i.test(name) && !secure) throw invalid(`A cookie called ${name} needs secure: true.`);
  if (!/^__host-/i.test(name) || isHostOnly(cookie)) return;
  throw invalid(
    `A cookie called ${name} needs secure: true, path: '/' and no domain; browsers refuse it otherwise. Choose another \`name\`.`,
  );
}

const sameSites: readonly unknown[] = [undefined, true, false, 'lax', 'strict', 'none'];

/** RFC 6265bis section 4.1.3.2. */
function isHostOnly({ secure, path, domain }: CookieOptions): boolean {
  return secure === true && path === '/' && domain === undefined;
}

function invalid(message: string): HotshelfError {
  return new HotshelfError('OPTION_INVALID', message);
}
