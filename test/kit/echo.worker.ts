/** A worker for the tests of the kit itself. */
import { startRedis } from './redis.ts';
import { serve } from './serve.ts';

const handlers = serve({
  double: (value: number) => value * 2,
  echo: (value: unknown) => value,
  variable: (name: string) => process.env[name],
  fail: (code: string) => {
    throw Object.assign(new RangeError('out of range'), { code });
  },
  never: () => new Promise<void>(() => undefined),
  crash: () => {
    process.stderr.write('the last words\n');
    process.exit(3);
  },
  /** Starts a server and leaves it behind, stopped by SIGSTOP. */
  async leaveServer() {
    const server = await startRedis();
    await server.pause();
    return { port: server.port, pid: server.pid };
  },
});

export type EchoHandlers = typeof handlers;
