/** Turns many questions that are asked in the same moment into one. */

/**
 * Returns a function that answers for one key; keys that are asked for in one turn of the event loop travel together.
 *
 * The question is sent after the last of them came in, so nobody gets an answer that is older than his question.
 */
export function batched<Key, Value>(
  askAll: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
  mostKeys = 500,
): (key: Key) => Promise<Value | undefined> {
  let open: { readonly keys: Set<Key>; readonly answers: Promise<ReadonlyMap<Key, Value>> } | undefined;

  const openBatch = (): NonNullable<typeof open> => {
    const keys = new Set<Key>();
    const answers = new Promise((resolve) => setImmediate(resolve)).then(() => {
      if (open?.keys === keys) open = undefined;
      return askAll([...keys]);
    });
    return { keys, answers };
  };

  return async (key) => {
    if (open === undefined || open.keys.size >= mostKeys) open = openBatch();
    const { keys, answers } = open;
    keys.add(key);
    return (await answers).get(key);
  };
}
