/** Commands that are written already, for those with very many arguments: ioredis looks at each of them several times. */

import type { Command, CommandArgument, CommandConstructor } from './client.ts';

/** All arguments of one command: what `writtenArgument` made of them, joined. */
export interface Written {
  readonly count: number;
  readonly text: string;
}

export type Arguments = readonly CommandArgument[] | Written;

/** A bulk string of the protocol of Redis: its length in bytes, then the text. */
export function writtenArgument(argument: string | number): string {
  const text = String(argument);
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

export function makeCommand(Command: CommandConstructor, name: string, args: Arguments): Command {
  if (!('text' in args)) return new Command(name, args);
  const command = new Command(name, []);
  command.toWritable = () => `*${args.count + 1}\r\n${writtenArgument(name)}${args.text}`;
  return command;
}
