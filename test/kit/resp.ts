/** Sends single commands to a Redis server without any client library. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

export type Reply = string | number | null | Reply[];

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly password?: string | undefined;
  /** Certificate of the authority, when the server speaks TLS. */
  readonly ca?: string | undefined;
}

const deadlineMs = 5000;

/**
 * Opens a connection, sends one command and returns its reply.
 *
 * @throws {Error} with the server's message for an error reply, or when there is no whole reply within 5 s.
 */
export function sendCommand(address: RedisAddress, args: readonly (string | number)[]): Promise<Reply> {
  const { host, port, password, ca } = address;
  const commands = [...(password === undefined ? [] : [['AUTH', password]]), args];
  const socket = ca === undefined ? connect(port, host) : connectTls({ host, port, ca });
  const what = `Redis on port ${port}, asked for ${args[0]}`;
  return new Promise<Reply>((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    let awaited = commands.length;
    socket.setNoDelay(true);
    socket.setTimeout(deadlineMs, () => reject(new Error(`${what}, did not answer within ${deadlineMs} ms`)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${what}, closed the connection`)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        for (let parsed = parse(received, 0); parsed; parsed = parse(received, 0)) {
          received = received.subarray(parsed.next);
          if (--awaited === 0) resolve(parsed.value);
        }
      } catch (error) {
        reject(error);
      }
    });
    socket.write(commands.map(encode).join(''));
  }).finally(() => socket.destroy());
}

/** The value of one `name:value` line of an INFO reply. */
export function infoField(info: Reply, name: string): string | undefined {
  const line = String(info)
    .split('\r\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  return line?.slice(name.length + 1);
}

function encode(args: readonly (string | number)[]): string {
  const words = args.map(String).map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${args.length}\r\n${words.join('')}`;
}

interface Parsed {
  readonly value: Reply;
  readonly next: number;
}

/** One RESP2 reply from `offset`, or undefined when it is not complete yet; throws an error reply. */
function parse(buffer: Buffer, offset: number): Parsed | undefined {
  const end = buffer.indexOf('\r\n', offset);
  if (end === -1) return undefined;
  const type = String.fromCharCode(buffer[offset] ?? 0);
  const text = buffer.toString('utf8', offset + 1, end);
  const next = end + 2;
  if (type === '+') return { value: text, next };
  if (type === ':') return { value: Number(text), next };
  if (type === '-') throw new Error(text);
  const size = Number(text);
  if (size === -1) return { value: null, next };
  if (type === '$') {
    if (buffer.length < next + size + 2) return undefined;
    return { value: buffer.toString('utf8', next, next + size), next: next + size + 2 };
  }
  if (type !== '*') throw new Error(`Not a RESP2 reply: ${type}${text}`);
  const values: Reply[] = [];
  let at = next;
  while (values.length < size) {
    const element = parse(buffer, at);
    if (!element) return undefined;
    values.push(element.value);
    at = element.next;
  }
  return { value: values, next: at };
}
