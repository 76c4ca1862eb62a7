/** Shows what the guard does to commands, in fake time. */

import { fakeClock, type FakeClock } from 'hotshelf/testing';
import { describe, expect, it } from 'vitest';
import { HotshelfError } from '../../src/support/errors.ts';
import { afterAwake } from '../../src/support/awake.ts';
import { Guard, guardDefaults, type GuardOptions } from '../../src/support/guard.ts';
import { blockable } from './blockable.ts';

const server = 'cache:6379';
const limits = { deadlineMinMs: 40, deadlineMaxMs: 250, deadlineFactor: 8, failuresToOpen: 3, probeEveryMs: 200 };

function setUp(options: Partial<GuardOptions> = {}) {
  const clock = fakeClock();
  const seen = { log: [] as string[], probes: 0, resets: 0, alive: true, probeHangs: false };
  const guard = new Guard({
    server,
    clock,
    limits,
    probe: () => {
      seen.probes += 1;
      if (seen.probeHangs) return new Promise(() => {});
      return seen.alive ? Promise.resolve('PONG') : Promise.reject(new Error('still dead'));
    },
    reset: () => (seen.resets += 1),
    onDown: (reason) => seen.log.push(`down: ${reason}`),
    onUp: () => seen.log.push('up'),
    ...options,
  });
  return { clock, guard, seen };
}

/** A command that is answered by hand. */
function command() {
  let answer!: (value: string) => void;
  let refuse!: (error: unknown) => void;
  const reply = new Promise<string>((resolve, reject) => {
    answer = resolve;
    refuse = reject;
  });
  let sent = 0;
  return {
    send: () => {
      sent += 1;
      return reply;
    },
    answer,
    refuse,
    get sent() {
      return sent;
    },
  };
}

const never = () => new Promise<string>(() => {});
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    (value) => value,
    (error: unknown) => (error instanceof HotshelfError ? error.code : error),
  );

/** Runs `count` commands that are answered after `ms`, one after the other. */
async function answered(clock: FakeClock, guard: Guard, count: number, ms: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const one = command();
    const running = guard.run(one.send);
    await clock.advance(ms);
    one.answer('ok');
    await running;
  }
}

/** Makes the breaker open by silence. */
async function hang(clock: FakeClock, guard: Guard): Promise<void> {
  for (let round = 0; round < 3 && guard.isUp; round += 1) {
    const running = outcome(guard.run(never));
    await clock.advance(250);
    await running;
  }
}

describe('a command', () => {
  it('gets its answer, or its own error', async () => {
    const { guard } = setUp();
    await expect(guard.run(() => Promise.resolve(7))).resolves.toBe(7);
    const own = new HotshelfError('BACKEND_REFUSED', 'no');
    await expect(guard.run(() => Promise.reject(own))).rejects.toBe(own);
    const thrown = new HotshelfError('BACKEND_DOWN', 'not sent');
    await expect(
      guard.run(() => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
  });

  it('leaves nothing behind when sending throws', async () => {
    const { clock, guard, seen } = setUp();
    for (let index = 0; index < 5; index += 1) {
      await outcome(
        guard.run(() => {
          throw new HotshelfError('BACKEND_DOWN', 'not sent');
        }),
      );
    }
    await clock.advance(5000);
    expect(guard.isUp).toBe(true);
    expect(seen.resets).toBe(0);
  });

  it('fails with OUTCOME_UNKNOWN at its deadline, and its late answer is ignored', async () => {
    const { clock, guard } = setUp();
    const one = command();
    const running = outcome(guard.run(one.send));
    await clock.advance(249);
    let settled = false;
    void running.then(() => (settled = true));
    await clock.advance(0);
    expect(settled).toBe(false);
    await clock.advance(1);
    await expect(running).resolves.toBe('OUTCOME_UNKNOWN');
    one.answer('late');
    await clock.advance(1000);
    expect(one.sent).toBe(1);
  });

  it('names the server and the time in its error, and nothing else', async () => {
    const { clock, guard } = setUp();
    const running = guard.run(never).catch((error: unknown) => String(error));
    await clock.advance(250);
    expect(await running).toBe(
      `HotshelfError: ${server}: no answer within 250 ms; the command may or may not have been applied.`,
    );
  });
});

describe('the deadline', () => {
  it('shrinks to its minimum while the server is quick, and grows with a slow answer', async () => {
    const { clock, guard } = setUp();
    expect(guard.deadlineMs).toBe(250);
    await answered(clock, guard, 1500, 1);
    expect(guard.deadlineMs).toBe(40);
    await answered(clock, guard, 1, 20);
    expect(guard.deadlineMs).toBe(160);
    await answered(clock, guard, 1, 39);
    expect(guard.deadlineMs).toBe(250);
  });

  it('learns from an answer that came too late', async () => {
    const { clock, guard, seen } = setUp();
    await answered(clock, guard, 1500, 1);
    const outcomes: unknown[] = [];
    for (let round = 0; round < 6; round += 1) {
      const one = command();
      const running = outcome(guard.run(one.send));
      await clock.advance(60);
      one.answer('ok');
      await clock.advance(0);
      outcomes.push(await running);
    }
    expect(outcomes).toEqual(['OUTCOME_UNKNOWN', 'ok', 'ok', 'ok', 'ok', 'ok']);
    expect(seen.log).toEqual([]);
  });

  it('has the documented defaults', () => {
    expect(guardDefaults).toMatchObject({ deadlineMaxMs: 250, failuresToOpen: 3, probeEveryMs: 200 });
  });
});

describe('the breaker', () => {
  it('opens after three deadlines one after the other, resets the client and sends nothing more', async () => {
    const { clock, guard, seen } = setUp();
    await answered(clock, guard, 1500, 1);
    const outcomes: unknown[] = [];
    for (let round = 0; round < 3; round += 1) {
      const running = outcome(guard.run(never));
      await clock.advance(40);
      outcomes.push(await running);
    }
    expect(outcomes).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN']);
    expect(seen.resets).toBe(1);
    expect(seen.log).toEqual(['down: no answer for 120 ms']);
    const next = command();
    await expect(outcome(guard.run(next.send))).resolves.toBe('BACKEND_DOWN');
    expect(next.sent).toBe(0);
    expect(guard.reason).toBe('no answer for 120 ms');
  });

  it('stays closed when many commands meet one short pause of the server', async () => {
    const { clock, guard, seen } = setUp();
    await answered(clock, guard, 1500, 1);
    const commands = Array.from({ length: 50 }, command);
    const running = commands.map((one) => outcome(guard.run(one.send)));
    await clock.advance(45);
    for (const one of commands) one.answer('ok');
    expect(new Set(await Promise.all(running))).toEqual(new Set(['OUTCOME_UNKNOWN']));
    expect(guard.isUp).toBe(true);
    expect(seen.log).toEqual([]);
    await answered(clock, guard, 1, 45);
  });

  it('opens after twice the longest deadline without an answer, however few commands there are', async () => {
    const { clock, guard, seen } = setUp();
    for (let round = 0; round < 2; round += 1) {
      const running = outcome(guard.run(never));
      await clock.advance(250);
      await running;
    }
    expect(guard.isUp).toBe(false);
    expect(seen.log).toEqual(['down: no answer for 500 ms']);
  });

  it('counts anew after every answer, a refusal included', async () => {
    const { clock, guard } = setUp();
    await answered(clock, guard, 1500, 1);
    for (let round = 0; round < 10; round += 1) {
      const lost = outcome(guard.run(never));
      await clock.advance(250);
      await lost;
      await outcome(guard.run(() => Promise.reject(new HotshelfError('BACKEND_REFUSED', 'no'))));
    }
    expect(guard.isUp).toBe(true);
  });

  it('fails what is in flight as unknown when the connection is lost', async () => {
    const { guard, seen } = setUp();
    const running = [outcome(guard.run(never)), outcome(guard.run(never))];
    guard.connectionLost('ECONNRESET');
    await expect(Promise.all(running)).resolves.toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN']);
    guard.connectionLost('ECONNREFUSED');
    expect(seen.log).toEqual(['down: ECONNRESET']);
    expect(guard.reason).toBe('ECONNREFUSED');
    await expect(guard.run(never)).rejects.toThrow(`${server} is down (ECONNREFUSED); the command was not sent.`);
  });

  it('closes when a probe is answered, and says so once', async () => {
    const { clock, guard, seen } = setUp();
    await hang(clock, guard);
    seen.alive = false;
    await clock.advance(1000);
    expect(seen.probes).toBeGreaterThanOrEqual(4);
    expect(guard.isUp).toBe(false);
    seen.alive = true;
    await clock.advance(200);
    expect(guard.isUp).toBe(true);
    expect(guard.deadlineMs).toBe(250);
    expect(seen.log.at(-1)).toBe('up');
    const before = seen.probes;
    await clock.advance(5000);
    expect(seen.probes).toBe(before);
    expect(seen.log.filter((line) => line === 'up')).toHaveLength(1);
  });

  it('probes at once when a connection is ready', async () => {
    const { clock, guard, seen } = setUp();
    guard.connectionLost('gone');
    guard.connectionReady();
    await clock.advance(0);
    expect(seen.probes).toBe(1);
    expect(guard.isUp).toBe(true);
    guard.connectionReady();
    await clock.advance(0);
    expect(seen.probes).toBe(1);
  });

  it('resets the client when a probe hangs, and does not wait for it when a new connection is ready', async () => {
    const { clock, guard, seen } = setUp();
    guard.connectionLost('gone');
    seen.probeHangs = true;
    await clock.advance(200);
    expect(seen.probes).toBe(1);
    await clock.advance(250);
    expect(seen.resets).toBe(1);
    await clock.advance(200);
    expect(seen.probes).toBe(2);
    seen.probeHangs = false;
    guard.connectionReady();
    await clock.advance(0);
    expect(guard.isUp).toBe(true);
    await clock.advance(5000);
    expect(seen.resets).toBe(1);
  });

  it('takes a probe that throws for one that failed', async () => {
    let probes = 0;
    const { clock, guard } = setUp({
      probe: () => {
        probes += 1;
        throw new Error('no client');
      },
    });
    guard.connectionLost('gone');
    await clock.advance(1000);
    expect(probes).toBeGreaterThan(3);
    expect(guard.isUp).toBe(false);
  });
});

describe('the first connection', () => {
  it('is waited for', async () => {
    const { clock, guard, seen } = setUp({ connecting: true });
    const one = command();
    const running = outcome(guard.run(one.send));
    await clock.advance(100);
    expect(one.sent).toBe(0);
    expect(guard.starting).toBeDefined();
    guard.connectionReady();
    await clock.advance(0);
    expect(one.sent).toBe(1);
    one.answer('ok');
    await expect(running).resolves.toBe('ok');
    expect(guard.starting).toBeUndefined();
    await guard.started();
    await clock.advance(1000);
    expect(seen.log).toEqual([]);
  });

  it('fails what waits when it cannot be made, at once', async () => {
    const { clock, guard, seen } = setUp({ connecting: true });
    seen.alive = false;
    const running = outcome(guard.run(never));
    await clock.advance(10);
    guard.connectionLost('ECONNREFUSED');
    await expect(running).resolves.toBe('BACKEND_DOWN');
    expect(seen.log).toEqual(['down: ECONNREFUSED']);
  });

  it('fails what waits when it takes too long', async () => {
    const { clock, guard, seen } = setUp({ connecting: true });
    seen.alive = false;
    const running = outcome(guard.run(never));
    await clock.advance(250);
    await expect(running).resolves.toBe('BACKEND_DOWN');
    expect(seen.log).toEqual(['down: no connection yet']);
    seen.alive = true;
    guard.connectionReady();
    await clock.advance(0);
    expect(seen.log).toEqual(['down: no connection yet', 'up']);
  });
});

describe('close', () => {
  it('fails what is in flight, what waits and what comes, and leaves no timer', async () => {
    const { clock, guard } = setUp();
    const running = outcome(guard.run(never));
    guard.close();
    guard.close();
    await expect(running).resolves.toBe('CLOSED');
    await expect(outcome(guard.run(never))).resolves.toBe('CLOSED');
    guard.connectionLost('gone');
    guard.connectionReady();
    expect(guard.isUp).toBe(false);
    expect(clock.timers).toBe(0);

    const other = setUp({ connecting: true });
    const waiting = outcome(other.guard.run(never));
    other.guard.close();
    await expect(waiting).resolves.toBe('CLOSED');
    expect(other.clock.timers).toBe(0);

    const down = setUp();
    down.guard.connectionLost('gone');
    down.seen.probeHangs = true;
    await down.clock.advance(200);
    down.guard.close();
    expect(down.clock.timers).toBe(0);
  });
});

describe('a blocked event loop', () => {
  it('fails no command whose answer lies in the socket', async () => {
    const { clock, advance, block } = blockable();
    const { guard, seen } = setUp({ clock });
    const one = command();
    const running = outcome(guard.run(one.send));
    block(3000);
    await advance(2999);
    // The loop is free, the timer is late, and the answer is read in the turn that it gives.
    void advance(1);
    await advance(20);
    one.answer('ok');
    await advance(30);
    await expect(running).resolves.toBe('ok');
    expect(seen.log).toEqual([]);
  });

  it('does not excuse a server that goes on being silent', async () => {
    const { clock, advance, block } = blockable();
    const { guard } = setUp({ clock });
    const running = outcome(guard.run(never));
    block(3000);
    await advance(3000 + 300);
    await expect(running).resolves.toBe('OUTCOME_UNKNOWN');
  });

  it('does not take an answered probe for a hanging one', async () => {
    const { clock, advance, block } = blockable();
    let answer = () => {};
    const probe = () => new Promise<void>((resolve) => (answer = resolve));
    const { guard, seen } = setUp({ clock, probe });
    guard.connectionLost('gone');
    await advance(200);
    block(2000);
    await advance(2010);
    answer();
    await advance(10);
    expect(seen.resets).toBe(0);
    expect(guard.isUp).toBe(true);
  });

  it('extends a timer three times at most', async () => {
    const { clock, advance, block } = blockable();
    const seen = { heldUp: 0 };
    afterAwake(clock, 100, (ms) => (seen.heldUp = ms));
    for (let round = 0; round < 10 && seen.heldUp === 0; round += 1) {
      block(500);
      await advance(500);
    }
    expect(seen.heldUp).toBeGreaterThan(1000);
  });

  it('can be called off between the timer and its turn', async () => {
    const clock = fakeClock();
    let fired = false;
    const timer = afterAwake(clock, 100, () => (fired = true));
    void clock.advance(100);
    timer.cancel();
    await clock.advance(1000);
    expect(fired).toBe(false);
    expect(clock.timers).toBe(0);
  });
});
