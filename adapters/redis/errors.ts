/** Turns what ioredis raises into our errors: without arguments, values and credentials. */

import { HotshelfError } from '../../src/support/errors.ts';

/** What to do about the errors that a server answers with, by their first word. */
const hints: Readonly<Record<string, string>> = {
  OOM: 'it has no memory left: raise maxmemory or set an eviction policy',
  WRONGTYPE: 'the key holds another kind of value: give hotshelf keys of its own',
  NOAUTH: 'it asks for a password: put it into the URL or the options of the client',
  WRONGPASS: 'check the user name and the password',
  NOPERM: 'the user may not run this command on this key: extend its ACL',
  MISCONF: 'it cannot write its snapshot to disk and therefore refuses writes',
  NOREPLICAS: 'too few replicas are connected for it to accept writes',
  CROSSSLOT: 'the keys lie in several slots',
  ERR: 'it does not accept the command: hotshelf needs Redis 6.2 or newer',
  READONLY: 'it is a replica now',
  LOADING: 'it is loading its data',
  MASTERDOWN: 'it has lost its master',
  CLUSTERDOWN: 'the cluster has no master for this slot',
  TRYAGAIN: 'the slot is moving to another node',
  BUSY: 'it is busy with a script',
  COUNTLIMIT: 'the count would pass 2^53 - 1',
  MOVED: 'the slot has moved to another node',
  ASK: 'the slot is moving to another node',
};

/** Said by a server that cannot serve at all: nothing was applied, and the next server or moment may do better. */
const unavailable: ReadonlySet<string> = new Set([
  'READONLY',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'BUSY',
  'MOVED',
  'ASK',
]);

/** What a command in a script was answered with stands behind this in Redis 6.2, and in later ones at the beginning. */
const inScript = /^ERR Error running script .*: -?([A-Z][A-Z0-9_]+) /;

/** How the messages of ioredis begin when it sent nothing. */
const notSent = ["Stream isn't writeable", 'Connection in subscriber mode', 'Connection is in monitoring mode'];

/** A server that says this is not the one to be connected to: its data are elsewhere, or not there yet. */
export const wrongServer: ReadonlySet<string> = new Set(['READONLY', 'LOADING', 'MASTERDOWN']);

/** What is left of an error of ioredis: its name and its code. For an error reply the code is its first word. */
export class RedisCause extends Error {
  readonly code: string | undefined;
  /** Slot and address of a MOVED or ASK. */
  readonly redirect: string | undefined;

  constructor(name: string, code: string | undefined, redirect?: string) {
    super(code ?? name);
    this.name = name;
    this.code = code;
    this.redirect = redirect;
  }
}

/** @param server host and port, for the message */
export function commandError(server: string, error: unknown): HotshelfError {
  const cause = scrubbed(error);
  if (cause.name !== 'ReplyError') {
    const refusedHere = notSent.find((start) => error instanceof Error && error.message.startsWith(start));
    if (refusedHere !== undefined) {
      return new HotshelfError('BACKEND_DOWN', `${server} is down (${refusedHere}); the command was not sent.`, {
        cause,
      });
    }
    return new HotshelfError(
      'OUTCOME_UNKNOWN',
      `The connection to ${server} was lost (${connectionProblem(error)}); the command may or may not have been applied.`,
      { cause },
    );
  }
  const word = cause.code ?? 'ERR';
  const said = `${server} answered ${word}${hints[word] === undefined ? '' : ` (${hints[word]})`}`;
  return unavailable.has(word)
    ? new HotshelfError('BACKEND_DOWN', `${said}; the command was not applied.`, { cause })
    : new HotshelfError('BACKEND_REFUSED', `${said}; nothing was changed.`, { cause });
}

/** For a script that found something under a key that is not its own. */
export function wrongKind(): HotshelfError {
  return new HotshelfError(
    'BACKEND_REFUSED',
    `The server answered WRONGTYPE (${hints['WRONGTYPE'] ?? ''}); nothing was changed.`,
  );
}

/** For an answer of a script that it cannot have given. */
export function brokenReply(): HotshelfError {
  return new HotshelfError(
    'OUTCOME_UNKNOWN',
    'The server answered something that cannot be read; the command may or may not have been applied.',
  );
}

/** The first word of the error reply behind `error`, if there is one. */
export function replyCode(error: unknown): string | undefined {
  return replyCause(error)?.code;
}

export interface Redirect {
  /** For this one command only: the slot has not moved yet. */
  readonly ask: boolean;
  readonly address: string;
}

/** Where the server sent us with MOVED or ASK. */
export function redirectOf(error: unknown): Redirect | undefined {
  const cause = replyCause(error);
  const address = cause?.redirect?.split(' ')[1];
  return cause === undefined || address === undefined ? undefined : { ask: cause.code === 'ASK', address };
}

function replyCause(error: unknown): RedisCause | undefined {
  const cause = error instanceof HotshelfError ? error.cause : undefined;
  return cause instanceof RedisCause && cause.name === 'ReplyError' ? cause : undefined;
}

/** Says in a few words why there is no connection. */
export function connectionProblem(error: unknown): string {
  const { name, code } = scrubbed(error);
  if (name === 'ReplyError' && code !== undefined) return hints[code] === undefined ? code : `${code}: ${hints[code]}`;
  if (code !== undefined) return code;
  const text = error instanceof Error ? error.message : '';
  if (text.startsWith('All sentinels are unreachable')) return 'no Sentinel answers';
  if (text.includes('slots cache')) return 'no node of the cluster answers';
  if (text === 'Command timed out') return 'the commandTimeout of the client passed';
  if (name === 'ParserError') return 'it does not speak the Redis protocol';
  return 'the connection was closed';
}

/** Errors are told apart by name and first word: the classes of two copies of ioredis differ. */
function scrubbed(error: unknown): RedisCause {
  if (!(error instanceof Error)) return new RedisCause('Error', undefined);
  if (error.name === 'ReplyError') {
    const word = inScript.exec(error.message)?.[1] ?? /^[A-Z][A-Z0-9_]*/.exec(error.message)?.[0] ?? 'ERR';
    const redirect = word === 'MOVED' || word === 'ASK' ? error.message.slice(word.length + 1) : undefined;
    return new RedisCause('ReplyError', word, redirect);
  }
  const code: unknown = Reflect.get(error, 'code');
  return new RedisCause(error.name, typeof code === 'string' ? code : undefined);
}

/** True if a cluster says that the slot of the keys is elsewhere, or on its way. */
export function isMoving(error: HotshelfError): boolean {
  const code = replyCode(error);
  return code === 'MOVED' || code === 'ASK' || code === 'TRYAGAIN';
}
