/** What goes wrong with boards on Memcached, in words: without keys, members or scores. */

import { HotshelfError } from '../../../src/support/errors.ts';

export function fullBoard(maxMembers: number): HotshelfError {
  return new HotshelfError(
    'BOARD_FULL',
    `A board would have more than the ${maxMembers} members that Memcached keeps of one; nothing was written. Give the board a cap, ` +
      'raise `maxBoardMembers` of memcached() (10,000 at most), or use the redis adapter.',
  );
}

export function fullGroup(bytes: number, maxValueBytes: number): HotshelfError {
  return new HotshelfError(
    'BOARD_FULL',
    `The boards of a group would take ${bytes} bytes together, more than the ${maxValueBytes} of one value of Memcached; nothing was ` +
      'written. Keep fewer windows, or for a shorter time, give the boards a cap, raise the limit of the server with -I, or use the redis adapter.',
  );
}

export function unreadable(): HotshelfError {
  return new HotshelfError(
    'BACKEND_REFUSED',
    'What Memcached keeps under the key of a group of boards is damaged, or was written by something else or by a later version of ' +
      'hotshelf; nothing was overwritten. Update this process, or delete the key, which ends in §boards: its boards are lost then.',
  );
}

export function otherRules(): HotshelfError {
  return new HotshelfError(
    'BACKEND_REFUSED',
    'A board has another order, other ties or another half-life than its rules say; nothing was changed. Give a board with new ' +
      'rules another key.',
  );
}

export function collidedBoards(): HotshelfError {
  return new HotshelfError(
    'BACKEND_REFUSED',
    'A group of boards was changed by others each time before a change to it could be stored; nothing was written. Spread the boards ' +
      'over more groups, let fewer processes write, or use the redis adapter.',
  );
}

/** A read that failed on the way to a write: whatever became of the read, the write was not sent. */
export function notWritten(cause: unknown): HotshelfError {
  return new HotshelfError('BACKEND_DOWN', 'A group of boards could not be read; nothing was written.', { cause });
}
