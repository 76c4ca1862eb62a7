/** Turns what a Memcached server or a socket says into errors of hotshelf, without keys, values or credentials. */

import { HotshelfError } from '../../src/support/errors.ts';
import { statuses } from './protocol.ts';

/** The server's own words are never passed on: what it says is known by its number. */
const refusals: Readonly<Record<number, string>> = {
  0x04: 'called the arguments invalid',
  [statuses.notStored]: 'did not store it',
  [statuses.noNumber]: 'holds something under this key that is no number; counters and values must not share keys',
  0x07: 'is not responsible for this key',
  [statuses.loginRefused]: 'asks for a login; set `username` and `password`',
  [statuses.unknownCommand]: 'does not know the command; hotshelf needs Memcached 1.4.14 or newer',
  0x82: 'is out of memory; give it more with -m or allow evictions',
  0x83: 'does not support the command',
  0x84: 'had an internal error',
  0x85: 'is too busy',
  0x86: 'had a temporary failure',
};

/** The error for a status that is no answer. */
export function statusError(server: string, status: number): HotshelfError {
  if (status === statuses.tooLarge) {
    return new HotshelfError(
      'VALUE_TOO_LARGE',
      `${server} refused a value as too large. Raise its limit with -I, or set \`maxValueBytes\` to what it takes.`,
    );
  }
  const why = refusals[status] ?? `answered with status 0x${status.toString(16).padStart(4, '0')}`;
  return new HotshelfError('BACKEND_REFUSED', `${server} ${why}.`);
}

export function tooLarge(bytes: number, maxValueBytes: number): HotshelfError {
  return new HotshelfError(
    'VALUE_TOO_LARGE',
    `A value of ${bytes} bytes is larger than the ${maxValueBytes} that Memcached takes. Store less, or raise its limit with -I.`,
  );
}

export function notSent(server: string, reason: string): HotshelfError {
  return new HotshelfError('BACKEND_DOWN', `${server} is down (${reason}); the command was not sent.`);
}

export function outcomeUnknown(server: string, reason: string): HotshelfError {
  return new HotshelfError('OUTCOME_UNKNOWN', `${server}: ${reason}; the command may or may not have been applied.`);
}

/** Names what broke a connection: the code of a system or TLS error, else the start of its message. */
export function failureOf(error: Error & { readonly code?: unknown }): string {
  return typeof error.code === 'string' ? error.code : error.message.slice(0, 80);
}
