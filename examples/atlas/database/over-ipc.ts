/** Lets worker processes use the database of their parent. */

import type { ChildProcess } from 'node:child_process';
import type { Database, SqlValue } from './database.ts';

type Query = {
  readonly kind: 'query';
  readonly id: number;
  readonly sql: string;
  readonly values: readonly SqlValue[];
};
type Answer = { readonly kind: 'answer'; readonly id: number; readonly rows?: unknown[]; readonly error?: string };

/** The parent's side: answers the queries of `worker`. */
export function serveDatabase(worker: ChildProcess, database: Database): void {
  worker.on('message', (message: Query | { kind: 'other' }) => {
    if (message.kind === 'query') void answer(message).then((reply) => worker.connected && worker.send(reply));
  });
  const answer = async ({ id, sql, values }: Query): Promise<Answer> => {
    try {
      return { kind: 'answer', id, rows: await database.query(sql, values) };
    } catch (error) {
      return { kind: 'answer', id, error: String(error) };
    }
  };
}

/** The worker's side. */
export function databaseOfParent(name: string): Database {
  const waiting = new Map<number, (answer: Answer) => void>();
  let lastId = 0;
  process.on('message', (message: Answer | { kind: 'other' }) => {
    if (message.kind !== 'answer') return;
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  return {
    name,
    query: async <Row>(sql: string, values: readonly SqlValue[] = []) => {
      lastId += 1;
      const query: Query = { kind: 'query', id: lastId, sql, values };
      const { rows, error } = await new Promise<Answer>((resolve) => {
        waiting.set(query.id, resolve);
        process.send?.(query);
      });
      if (rows === undefined) throw new Error(error);
      return rows as Row[];
    },
    close: async () => {},
  };
}
