/** Commands that are written already, for those with very many arguments: ioredis looks at each of them several times. */

import type { Command, CommandArgument, CommandConstructor } from './client.ts';

/** All arguments of one command, as they go to the socket. */
export class Written {
  readonly #count: number;
  readonly #text: string;

  /** @param text what `writtenArgument` made of `count` arguments, joined */
  constructor(count: number, text: string) {
    this.#count = count;
    this.#text = text;
  }

  /** The command as it goes to the socket. */
  as(name: string): string {
    return `*${this.#count + 1}\r\n${writtenArgument(name)}${this.#text}`;
  }
}

export type Arguments = readonly CommandArgument[] | Written;

/** A bulk string of the protocol of Redis: its length in bytes, then the text. */
export function writtenArgument(argument: string | number): string {
  const text = String(argument);
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

export function makeCommand(Command: CommandConstructor, name: string, args: Arguments): Command {
  if (!(args instanceof Written)) return new Command(name, args);
  const command = new Command(name, []);
  command.toWritable = () => args.as(name);
  return command;
}
