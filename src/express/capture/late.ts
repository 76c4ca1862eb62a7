/** Hears what a handler answers whose client has gone already. */

import { type Answered, answeredBy, fieldsOf, overlaid, readHead } from './answered.ts';
import { Overlay } from './overlay.ts';
import type { ResponseLike } from '../request.ts';

const names = ['writeHead', 'write', 'end', 'flushHeaders'] as const;

/** Calls `heard` once, when the handler begins to answer on the closed `res`, with what it set. */
export function hearLate(res: ResponseLike, heard: (answered: Answered) => void): void {
  const overlay = new Overlay(res);
  for (const name of names) {
    const former = res[name] as (...args: unknown[]) => unknown;
    overlay.put(name, (...args) => {
      const call = readHead(name === 'writeHead' ? args : [res.statusCode]);
      overlay.removeAll();
      if (call !== undefined) heard(answeredBy(call, call.statusText, overlaid(fieldsOf(res), call.lines), new Map()));
      return Reflect.apply(former, res, args);
    });
  }
}
