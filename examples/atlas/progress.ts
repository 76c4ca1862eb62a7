/** Shows how far the load of the data is: one line that moves on a terminal, a few plain lines elsewhere. */

import type { WriteStream } from 'node:tty';

export function showProgress(output: Pick<WriteStream, 'write' | 'isTTY'>): (loaded: number, total: number) => void {
  let nextQuarter = 0;
  return (loaded, total) => {
    const line = `Loading cities: ${loaded.toLocaleString('en')} of ${total.toLocaleString('en')}`;
    const isDone = loaded === total;
    if (output.isTTY) output.write(`\r${line}${isDone ? '\n' : ''}`);
    else if (isDone || loaded >= (nextQuarter * total) / 4) {
      output.write(`${line}\n`);
      nextQuarter = Math.floor((4 * loaded) / total) + 1;
    }
  };
}
