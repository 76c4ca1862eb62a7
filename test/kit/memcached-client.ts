/** Sends single commands to a Memcached server without any client library. */
import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface MemcachedAddress {
  readonly host: string;
  readonly port: number;
  /** Certificate of the authority, when the server speaks TLS. */
  readonly ca?: string | undefined;
}

const deadlineMs = 5000;
const lastLine =
  /(^|\n)(END|OK|(NOT_)?STORED|EXISTS|NOT_FOUND|DELETED|TOUCHED|RESET|VERSION.*|(CLIENT_|SERVER_)?ERROR.*|\d+|MN|HD.*|EN|NF|NS|EX)\r\n$/;

/** Sends one line of the text protocol and returns the whole reply without its last line break. */
export async function sendLine(address: MemcachedAddress, line: string): Promise<string> {
  const reply = await exchange(address, Buffer.from(`${line}\r\n`), (received) => lastLine.test(received.toString()));
  return reply.toString().trimEnd();
}

/**
 * Logs in with SASL PLAIN over the binary protocol.
 *
 * @throws {Error} when the server refuses the credentials.
 */
export async function authenticate(
  address: MemcachedAddress,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<void> {
  const mechanism = Buffer.from('PLAIN');
  const token = Buffer.from(`\0${user}\0${password}`);
  const header = Buffer.alloc(24);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(0x21, 1);
  header.writeUInt16BE(mechanism.length, 2);
  header.writeUInt32BE(mechanism.length + token.length, 8);
  const reply = await exchange(address, Buffer.concat([header, mechanism, token]), (received) => received.length >= 24);
  const status = reply.readUInt16BE(6);
  if (status !== 0) throw new Error(`memcached refused the credentials with status ${status}`);
}

function exchange(
  { host, port, ca }: MemcachedAddress,
  request: Buffer,
  isComplete: (received: Buffer) => boolean,
): Promise<Buffer> {
  const socket: Socket = ca === undefined ? connect(port, host) : connectTls({ host, port, ca });
  return new Promise<Buffer>((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    socket.setTimeout(deadlineMs, () =>
      reject(new Error(`memcached on port ${port} did not answer in ${deadlineMs} ms`)),
    );
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`memcached on port ${port} closed the connection`)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (isComplete(received)) resolve(received);
    });
    socket.write(request);
  }).finally(() => socket.destroy());
}
