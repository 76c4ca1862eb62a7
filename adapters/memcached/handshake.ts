/** What is said on a connection before it is used: the login, and who the server is. */

import { Utils } from 'memjs';
import type { HotshelfError } from '../../src/support/errors.ts';
import type { Request } from './connection.ts';
import { at, encodeRequest, opcodes, statuses } from './protocol.ts';

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** What a server told about itself; a service that hides its statistics tells nothing. */
export interface ServerFacts {
  /** Differs from one start of the server to the next. */
  readonly life: string | undefined;
  readonly maxItemBytes: number | undefined;
}

export interface Greeter {
  nextOpaque(): number;
  send(bytes: Buffer, request: Request): void;
  warn(message: string): void;
}

/** @throws {Error} when the connection cannot be used, with a message that says why. */
export async function greet(greeter: Greeter, login: Login | undefined): Promise<ServerFacts> {
  if (login !== undefined) await logIn(greeter, login);
  const [general, settings] = await Promise.all([statistics(greeter, ''), statistics(greeter, 'settings')]);
  // Without CAS ids (-C) every version would be 0, and a compare-and-set with 0 overwrites whatever is there.
  if (settings.get('cas_enabled') === 'no') throw new Error('it was started with -C, and hotshelf needs CAS');
  const startedAt = Number(general.get('time')) - Number(general.get('uptime'));
  const maxItemBytes = Number(settings.get('item_size_max'));
  return {
    life: Number.isInteger(startedAt) ? `${general.get('pid') ?? ''}/${startedAt}` : undefined,
    maxItemBytes: maxItemBytes > 0 ? maxItemBytes : undefined,
  };
}

/** SASL PLAIN (RFC 4616): no authorization identity, the name, the password. */
async function logIn(greeter: Greeter, { username, password }: Login): Promise<void> {
  const [reply] = await ask(greeter, opcodes.login, 'PLAIN', `\0${username}\0${password}`);
  const status = reply?.readUInt16BE(at.status);
  if (status === statuses.ok) return;
  if (status === statuses.unknownCommand) greeter.warn('asks for no login; the credentials were not used');
  else throw new Error('it refused the login');
}

async function statistics(greeter: Greeter, about: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const reply of await ask(greeter, opcodes.stat, about, '')) {
    const parsed = Utils.parseMessage(reply);
    if (parsed !== false && parsed.header.status === statuses.ok) {
      found.set(parsed.key.toString('latin1'), parsed.val.toString('latin1'));
    }
  }
  return found;
}

/** Returns all replies to one request; statistics end with an empty one or an error. */
function ask(greeter: Greeter, opcode: number, key: string, value: string): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const opaque = greeter.nextOpaque();
    const replies: Buffer[] = [];
    greeter.send(encodeRequest({ opcode, key, value: Buffer.from(value) }, opaque), {
      opcode,
      opaque,
      quiet: false,
      settle(reply) {
        if (reply !== undefined) replies.push(reply);
        const more = opcode === opcodes.stat && reply?.readUInt16BE(at.status) === statuses.ok && isStatistic(reply);
        if (!more) resolve(replies);
        return !more;
      },
      fail: (error: HotshelfError) => reject(error),
    });
  });
}

function isStatistic(reply: Buffer): boolean {
  return reply.readUInt16BE(at.keyLength) > 0;
}
