/** Shows that an acknowledged announcement resolves when nobody serves the old value, soon if all answer, and else at the fence. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';
import { memory } from 'hotshelf/memory';
import { Announcements, fenceMs } from '../../../src/cache/local/announcements.ts';
import { type Connection, maxLagMs, member, type Member, Network, timeOf } from './network.ts';

const fence = fenceMs(maxLagMs);
/** A few trips. */
const soon = 20;

type Listener = Member & { readonly connection: Connection };

interface Fleet {
  readonly network: Network;
  readonly members: readonly Listener[];
  readonly first: Listener;
  readonly last: Listener;
  /** Announces for `first`, and returns how long that took. */
  readonly announce: (...keys: readonly string[]) => Promise<number>;
}

/** Returns processes that trust their connections, of which the first has made its census. */
async function fleet(size: number): Promise<Fleet> {
  const network = new Network();
  const members = Array.from({ length: size }, () => member(network.connect(), network.clock));
  const [first] = members;
  const last = members.at(-1);
  if (first === undefined || last === undefined) throw new Error('Expected at least one process.');
  await network.clock.advance(200);
  const announce = (...keys: readonly string[]) =>
    timeOf(network.clock, first.announcements.announce({ keys }, { ack: true }));
  await announce('census');
  return { network, members, first, last, announce };
}

describe('an announcement', () => {
  it('reaches every listener, the announcer too', async () => {
    const { network, members, first } = await fleet(3);
    for (const each of members) for (const key of ['a', 'b', 'c']) each.keep(key, 'old', key === 'b' ? ['t'] : []);
    await timeOf(network.clock, first.announcements.announce({ keys: ['a'], tags: ['t'] }));
    await network.clock.advance(2);
    for (const each of members) expect(['a', 'b', 'c'].map(each.serves)).toEqual([undefined, undefined, 'old']);
  });

  it('of many names arrives whole', async () => {
    const { members, announce, network } = await fleet(2);
    const keys = Array.from({ length: 700 }, (_, index) => `k${index}`);
    for (const each of members) for (const key of keys) each.keep(key, 'old');
    expect(members[1]?.tier.stats.entries).toBe(700);
    expect(await announce(...keys)).toBeLessThan(soon);
    await network.clock.advance(2);
    for (const each of members) expect(each.tier.stats.entries).toBe(0);
  });

  it('of nothing is not sent', async () => {
    const { first, announce } = await fleet(2);
    first.connection.published.length = 0;
    expect(await announce()).toBe(0);
    await first.announcements.announce({ keys: [], tags: [] });
    expect(first.connection.published).toEqual([]);
  });

  it('rejects as publish does', async () => {
    const { first } = await fleet(2);
    first.connection.publishFails = true;
    for (const ack of [false, true])
      await expect(first.announcements.announce({ keys: ['k'] }, { ack })).rejects.toMatchObject({
        code: 'BACKEND_DOWN',
      });
  });

  it('works on the memory bus', async () => {
    const clock = fakeClock();
    const backend = memory({ clock });
    const [one, other] = [member(backend.bus, clock), member(backend.bus, clock)];
    await clock.advance(0);
    await one.announcements.announce({ prefixes: ['hs:a'] });
    await clock.advance(0);
    expect(other.heard).toEqual(['{"prefixes":["hs:a"]}']);
    expect(await timeOf(clock, one.announcements.announce({ keys: ['k'] }, { ack: true }))).toBeLessThanOrEqual(fence);
  });
});

describe('an acknowledged announcement', () => {
  it.each([1, 2, 5])('resolves soon when all %i listeners answer, and then all have dropped', async (size) => {
    const { members, announce } = await fleet(size);
    for (const each of members) each.keep('k', 'old');
    expect(await announce('k')).toBeLessThan(soon);
    for (const each of members) expect(each.serves('k')).toBeUndefined();
  });

  it('does not resolve before the slowest has dropped', async () => {
    const { network, last, announce } = await fleet(3);
    last.keep('k', 'old');
    expect(last.serves('k')).toBe('old');
    const listeners = [...last.connection.ears];
    last.connection.ears.clear();
    // Its messages wait in its socket for 100 ms.
    const held: (() => void)[] = [];
    for (const ear of listeners)
      last.connection.ears.add({ ...ear, listener: (message) => held.push(() => ear.listener(message)) });
    network.clock.after(100, () => held.forEach((hear) => hear()));
    expect(await announce('k')).toBeGreaterThanOrEqual(100);
    expect(last.serves('k')).toBeUndefined();
  });

  it('waits for the fence when one never answers, which then serves nothing', async () => {
    const { network, last, announce } = await fleet(3);
    last.keep('k', 'old');
    last.connection.halfOpen = true;
    const announced = announce('k');
    await network.clock.advance(100);
    expect(last.serves('k')).toBe('old');
    expect(await announced).toBeGreaterThanOrEqual(fence);
    expect(last.serves('k')).toBeUndefined();
    expect(last.tier.stats.entries).toBe(1);
  });

  it.each(['knows', 'does not know'])(
    'waits for the fence when a listener has died, and then no more: the server %s',
    async (server) => {
      const { network, last, announce } = await fleet(3);
      last.connection.halfOpen = true;
      if (server === 'knows') last.connection.ears.clear();
      expect(await announce('k')).toBeGreaterThanOrEqual(fence);
      await network.clock.advance(fence + soon);
      expect(await announce('k')).toBeLessThan(soon);
    },
  );

  it('waits again for a listener that was silent for long and is back', async () => {
    const { network, last, announce } = await fleet(3);
    last.connection.halfOpen = true;
    await announce('k');
    await network.clock.advance(fence + soon);
    expect(await announce('k')).toBeLessThan(soon);
    last.connection.lose();
    last.connection.restore();
    await network.clock.advance(200);
    expect(last.keep('k', 'old')).toBe(true);
    last.connection.givenUp = true;
    expect(await announce('k')).toBeGreaterThanOrEqual(fence);
    expect(last.serves('k')).toBeUndefined();
  });

  it('does not wait for a listener that said bye', async () => {
    const { network, last, announce } = await fleet(3);
    await timeOf(network.clock, last.announcements.close());
    expect(await announce('k')).toBeLessThan(soon);
  });

  it('waits for one whose connection the server gave up before it knows, though publish does not count it', async () => {
    const { network, last, announce } = await fleet(3);
    last.keep('k', 'old');
    last.connection.givenUp = true;
    const announced = announce('k');
    await network.clock.advance(100);
    expect(last.serves('k')).toBe('old');
    expect(await announced).toBeGreaterThanOrEqual(fence);
    expect(last.serves('k')).toBeUndefined();
  });

  it('waits also for one that came after the census', async () => {
    const { network, announce } = await fleet(2);
    const late = member(network.connect(), network.clock);
    await network.clock.advance(200);
    late.keep('k', 'old');
    expect(late.serves('k')).toBe('old');
    late.connection.givenUp = true;
    expect(await announce('k')).toBeGreaterThanOrEqual(fence);
    expect(late.serves('k')).toBeUndefined();
  });

  it('waits for the fence after a gap of its own, in which it may have missed who came, until it knows', async () => {
    const { network, first, announce } = await fleet(2);
    first.connection.lose();
    const late = member(network.connect(), network.clock);
    await network.clock.advance(200);
    first.connection.restore();
    late.keep('k', 'old');
    late.connection.givenUp = true;
    await network.clock.advance(100);
    expect(late.serves('k')).toBe('old');
    expect(await announce('k')).toBeGreaterThanOrEqual(fence);
    expect(late.serves('k')).toBeUndefined();
    expect(await announce('k')).toBeLessThan(soon);
  });

  it('knows those again who came in a gap, once it asked everybody', async () => {
    const { network, first, announce } = await fleet(2);
    first.connection.lose();
    const late = member(network.connect(), network.clock);
    await network.clock.advance(200);
    first.connection.restore();
    await network.clock.advance(fence + soon);
    expect(await announce('k')).toBeLessThan(soon);
    late.keep('k', 'old');
    late.connection.givenUp = true;
    expect(late.serves('k')).toBe('old');
    expect(await announce('k')).toBeGreaterThanOrEqual(fence);
    expect(late.serves('k')).toBeUndefined();
  });

  it('waits for the fence where the announcer does not listen, hears nothing, or cannot hear answers', async () => {
    const { network, members, first } = await fleet(2);
    const mute = new Announcements({ bus: network.connect(), clock: network.clock, prefix: 'hs', maxLagMs });
    members[1]?.keep('k', 'old');
    expect(await timeOf(network.clock, mute.announce({ keys: ['k'] }, { ack: true }))).toBeGreaterThanOrEqual(fence);
    expect(members[1]?.serves('k')).toBeUndefined();
    first.connection.halfOpen = true;
    expect(
      await timeOf(network.clock, first.announcements.announce({ keys: ['k'] }, { ack: true })),
    ).toBeGreaterThanOrEqual(fence);
    const other = members[1]?.announcements;
    if (members[1] !== undefined) members[1].connection.subscribeFails = true;
    expect(
      await timeOf(network.clock, Promise.resolve(other?.announce({ keys: ['k'] }, { ack: true }))),
    ).toBeGreaterThanOrEqual(fence);
  });

  it('takes a census anew that had a gap within', async () => {
    const network = new Network();
    const first = member(network.connect(), network.clock);
    await network.clock.advance(200);
    const announce = () => timeOf(network.clock, first.announcements.announce({ keys: ['k'] }, { ack: true }));
    const census = announce();
    await network.clock.advance(20);
    first.connection.lose();
    const late = member(network.connect(), network.clock);
    await network.clock.advance(150);
    first.connection.restore();
    await census;
    late.keep('k', 'old');
    late.connection.givenUp = true;
    expect(late.serves('k')).toBe('old');
    await announce();
    expect(late.serves('k')).toBeUndefined();
  });

  it('waits for both of two listeners in one process, who do not answer for a third', async () => {
    const network = new Network();
    const shared = network.connect();
    const [one, two] = [member(shared, network.clock), member(shared, network.clock)];
    const third = member(network.connect(), network.clock);
    await network.clock.advance(200);
    const announce = (key: string) => timeOf(network.clock, one.announcements.announce({ keys: [key] }, { ack: true }));
    await announce('census');
    for (const each of [one, two, third]) each.keep('k', 'old');
    expect(await announce('k')).toBeLessThan(soon);
    for (const each of [one, two, third]) expect(each.serves('k')).toBeUndefined();
    third.connection.halfOpen = true;
    expect(await announce('k')).toBeGreaterThanOrEqual(fence);
  });

  it('never resolves while somebody serves the old value, whatever breaks', async () => {
    const outcomes = { soon: 0, fence: 0, servedMeanwhile: 0 };
    for (let seed = 1; seed <= 60; seed += 1) await breakAtRandom(seed, outcomes);
    // The test would show nothing if nothing was served, or if nothing ever resolved early.
    expect(outcomes.servedMeanwhile).toBeGreaterThan(100);
    expect(outcomes.soon).toBeGreaterThan(100);
    expect(outcomes.fence).toBeGreaterThan(100);
  });
});

/** Random faults on all connections while the first announces again and again; every tier refills all the time. */
async function breakAtRandom(seed: number, outcomes: { soon: number; fence: number; servedMeanwhile: number }) {
  const { network, members, announce } = await fleet(4);
  const own = fakeClock({ seed });
  const random = () => own.random();
  const { clock } = network;
  for (let round = 0; round < 12; round += 1) {
    for (const each of members) each.keep('k', `${round}`);
    for (const { connection } of members) breakOrMend(connection, random);
    const announced = announce('k').then((ms) => {
      outcomes[ms >= fence ? 'fence' : 'soon'] += 1;
      expect(members.map((each) => each.serves('k'))).toEqual(members.map(() => undefined));
    });
    await clock.advance(random() * 5);
    if (members.some((each) => each.serves('k') !== undefined)) outcomes.servedMeanwhile += 1;
    await announced;
    await clock.advance(random() * 300);
  }
}

function breakOrMend(connection: Connection, random: () => number): void {
  const chance = random();
  if (connection.givenUp || connection.halfOpen) {
    if (chance < 0.3) connection.lose();
    else if (chance < 0.7) connection.restore();
  } else if (chance < 0.1) connection.givenUp = true;
  else if (chance < 0.2) connection.halfOpen = true;
}

describe('a listener', () => {
  it('drops everything at what it cannot understand', async () => {
    const { network, first, last } = await fleet(2);
    for (const text of ['{"v":2,"k":["x"]}', 'rubbish', '{"v":1,"k":[1]}']) {
      expect(last.keep('k', 'old')).toBe(true);
      await timeOf(network.clock, first.connection.publish('hs!drop', text));
      await network.clock.advance(2);
      expect(last.serves('k')).toBeUndefined();
      expect(last.heard.at(-1)).toBe('{"prefixes":[""]}');
    }
  });

  it('is not disturbed by rubbish on its answers', async () => {
    const { network, first, last, announce } = await fleet(2);
    const answers = [...first.connection.ears].map((ear) => ear.topic).find((topic) => topic.startsWith('hs!ack:'));
    for (const text of ['rubbish', '{"v":1,"done":999,"name":"x"}', '{"v":1,"k":["x"]}'])
      await timeOf(network.clock, last.connection.publish(answers ?? 'none', text));
    // Whoever answered must be waited for.
    expect(await announce('k')).toBeGreaterThanOrEqual(fence);
    await network.clock.advance(fence + soon);
    expect(await announce('k')).toBeLessThan(soon);
  });

  it('tries for ever to subscribe, less and less often, and trusts nothing meanwhile', async () => {
    const network = new Network();
    const connection = network.connect();
    connection.subscribeFails = true;
    const one = member(connection, network.clock);
    await network.clock.advance(60_000);
    expect(one.heard.length).toBeGreaterThan(10);
    expect(one.heard.length).toBeLessThan(30);
    expect(one.keep('k', 'old')).toBe(false);
    connection.subscribeFails = false;
    await network.clock.advance(6000);
    expect(one.keep('k', 'old')).toBe(true);
  });

  it('says hello again whenever it is asked, and is trusted all the time', async () => {
    const { network, first, last } = await fleet(2);
    for (let round = 0; round < 20; round += 1) {
      last.connection.published.length = 0;
      await timeOf(network.clock, first.connection.publish('hs!drop', '{"v":1,"who":1}'));
      await network.clock.advance(150);
      expect(last.tier.trusted).toBe(true);
      expect(last.connection.published).toHaveLength(1);
    }
    last.connection.publishFails = true;
    await timeOf(network.clock, first.connection.publish('hs!drop', '{"v":1,"who":1}'));
    await network.clock.advance(maxLagMs);
    expect(last.tier.trusted).toBe(false);
  });

  it('passes on no probe before the others know of it', async () => {
    const network = new Network();
    const connection = network.connect();
    connection.publishFails = true;
    const one = member(connection, network.clock);
    await network.clock.advance(1000);
    expect(one.tier.trusted).toBe(false);
    connection.publishFails = false;
    await network.clock.advance(6000);
    expect(one.tier.trusted).toBe(true);
    connection.lose();
    expect(one.tier.trusted).toBe(false);
    connection.publishFails = true;
    connection.restore();
    await network.clock.advance(1000);
    expect(one.tier.trusted).toBe(false);
    connection.publishFails = false;
    await network.clock.advance(6000);
    expect(one.tier.trusted).toBe(true);
  });

  it('reports both ends of a gap', async () => {
    const { first } = await fleet(1);
    first.keep('k', 'old');
    first.connection.lose();
    expect(first.tier.stats.entries).toBe(0);
    first.connection.restore();
    expect(first.heard.slice(-2)).toEqual(['lost', 'restored']);
  });

  it('is not trusted longer than maxLag when its probes get no answer', async () => {
    const { network, first } = await fleet(1);
    first.keep('k', 'old');
    first.connection.halfOpen = true;
    let servedMs = 0;
    while (first.serves('k') !== undefined) {
      await network.clock.advance(1);
      servedMs += 1;
    }
    expect(servedMs).toBeGreaterThan(maxLagMs / 2);
    expect(servedMs).toBeLessThanOrEqual(maxLagMs);
  });

  it('leaves nothing behind after close, in whatever state it was', async () => {
    for (const state of ['listening', 'retrying', 'subscribing', 'joining'] as const) {
      const network = new Network();
      const connection = network.connect();
      connection.subscribeFails = state === 'retrying';
      connection.publishFails = state === 'joining';
      const one = member(connection, network.clock);
      if (state !== 'subscribing') await network.clock.advance(500);
      if (state === 'listening')
        await timeOf(network.clock, one.announcements.announce({ keys: ['k'] }, { ack: true }));
      const heard = one.heard.length;
      await timeOf(network.clock, one.announcements.close());
      connection.subscribeFails = false;
      connection.publishFails = false;
      await network.clock.advance(20_000);
      expect([state, connection.ears.size, network.clock.timers]).toEqual([state, 0, 0]);
      expect(one.heard).toHaveLength(heard);
    }
  });
});
