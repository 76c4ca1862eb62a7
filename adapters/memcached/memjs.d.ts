/** Declares what hotshelf uses of memjs 1.3.2, which has no types of its own. */
declare module 'memjs' {
  interface Reply {
    readonly header: { readonly opcode: number; readonly status: number; readonly cas: Buffer };
    readonly key: Buffer;
    readonly extras: Buffer;
    readonly val: Buffer;
  }

  interface Server {
    readonly host: string;
    readonly port: number;
    onResponse(opaque: number, listener: (reply: Reply) => void): void;
    onError(opaque: number, listener: (error: Error) => void): void;
    write(request: Buffer): void;
    close(): void;
  }

  class Client {
    constructor(
      servers: readonly Server[],
      options: { retries: number; failover: boolean; logger: { log(message: string): void } },
    );
    perform(
      key: string,
      request: Buffer,
      opaque: number,
      callback: (error: Error | null, reply: Reply | null) => void,
    ): void;
  }

  const Utils: {
    parseMessage(message: Buffer): Reply | false;
  };
}
