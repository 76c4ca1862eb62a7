/** Says what has changed from one look at the top of a board to the next. */

import type { BoardRow } from '../rows.ts';

/** What has changed at the top. */
export interface TopChange<Meta> {
  /** The top as it is now. */
  readonly rows: readonly BoardRow<Meta>[];
  /** Those of `rows` that were not at the top before; at the first time all of them. */
  readonly entered: readonly BoardRow<Meta>[];
  /** Those that are not at the top any more, as they were. */
  readonly left: readonly BoardRow<Meta>[];
  /** Those of `rows` that have another rank or score than before. */
  readonly moved: readonly { readonly row: BoardRow<Meta>; readonly previous: BoardRow<Meta> }[];
}

/** Returns what has changed, or `undefined` if nothing has. */
export function diffTops<Meta>(
  before: readonly BoardRow<Meta>[],
  rows: readonly BoardRow<Meta>[],
): TopChange<Meta> | undefined {
  const gone = new Map(before.map((row) => [row.member, row]));
  const entered: BoardRow<Meta>[] = [];
  const moved: { row: BoardRow<Meta>; previous: BoardRow<Meta> }[] = [];
  for (const row of rows) {
    const previous = gone.get(row.member);
    if (previous === undefined) entered.push(row);
    else if (previous.rank !== row.rank || previous.score !== row.score) moved.push({ row, previous });
    gone.delete(row.member);
  }
  if (entered.length === 0 && moved.length === 0 && gone.size === 0) return undefined;
  return { rows, entered, left: [...gone.values()], moved };
}
