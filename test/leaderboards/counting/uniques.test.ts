/** Counts of different members in buckets of time. */

import { connect } from 'hotshelf';
import { uniques, type UniquesOptions } from 'hotshelf/leaderboards';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMemcached, startRedis } from '../../kit/servers.ts';
import { everywhere, usePlace } from './servers.ts';

const minuteMs = 60_000;
const midnight = 1_699_920_000_000;

function setUp(options: Partial<UniquesOptions> = {}) {
  const clock = fakeClock({ now: midnight });
  const backend = chaos(memory({ clock }), { clock });
  return { clock, backend, visitors: uniques('visitors', { backend, bucket: '1m', keep: 5, clock, ...options }) };
}

describe('uniques', () => {
  it('count each member once, noted alone or with others', async () => {
    const { visitors } = setUp();
    for (const member of ['ada', 'bob', 'ada']) await visitors.add(member);
    await visitors.add(['bob', 'cyd', 'cyd']);
    await visitors.add([]);
    expect(await visitors.count()).toBe(3);
  });

  it('refuse what is no member, and note nothing of the list that it stands in', async () => {
    const { visitors } = setUp();
    for (const member of ['', 7, null, undefined, {}, ['ada', '']])
      await expect(visitors.add(member as string)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(visitors.add('ada', { of: 7 as never })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(visitors.add('ada', { page: 'a' } as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    for (const last of [0, 6, 1.5, Number.NaN])
      await expect(visitors.count({ last })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(visitors.series({ since: 1 } as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(await visitors.count()).toBe(0);
  });

  it('reject what is waited for while the backend fails, and nothing else happens', async () => {
    const { visitors, backend } = setUp();
    backend.chaos.set({ throws: 1 });
    // A rejection that nobody handles would be an error of this run.
    void visitors.add('ada');
    await expect(visitors.add('ada')).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
    await expect(visitors.count()).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
  });

  it.each<[string, Partial<UniquesOptions>]>([
    ['no bucket', { bucket: undefined }],
    ['a bucket of less than a second', { bucket: '0.5s' }],
    ['a number of buckets that is none', { keep: Number.NaN }],
    ['more buckets than can be read', { keep: 1001 }],
    ['an unknown option', { capacity: 3 } as never],
    ['no backend', { backend: undefined }],
  ])('refuse %s', (_what, options) => {
    expect(() => setUp(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('are missing on Memcached, and say where they are', async () => {
    const server = await startMemcached();
    onTestFinished(() => server.stop());
    const backend = await connect(server.url);
    onTestFinished(() => backend.close());
    expect(() => uniques('visitors', { backend: backend as never, bucket: '1d', keep: 7 })).toThrow(
      'The memcached adapter has no uniques. Use the redis or the memory adapter for uniques().',
    );
  });
});

describe.each(everywhere.filter((place) => place !== 'Memcached'))('uniques on %s', (place) => {
  const backends = usePlace(place, ['uniques']);

  /** A fake clock says which bucket it is; the server's own says how long it lives, which is longer than a test. */
  const onBoth = (name: string, bucket: UniquesOptions['bucket'] = '1m') => {
    const clock = fakeClock({ now: midnight });
    const [one, other] = backends();
    const options = { bucket, keep: 5, clock };
    return {
      clock,
      here: uniques(name, { backend: one, ...options }),
      there: uniques(name, { backend: other, ...options }),
    };
  };

  it('count who came in any of the last buckets once, and in the series once a bucket', async () => {
    const { clock, here, there } = onBoth('union');
    await here.add(['ada', 'bob']);
    clock.jump(minuteMs);
    await there.add(['bob', 'cyd']);
    clock.jump(2 * minuteMs);
    await here.add('ada');
    expect(await there.count()).toBe(3);
    expect(await here.count({ last: 1 })).toBe(1);
    expect(await here.count({ last: 3 })).toBe(3);
    expect(await here.count({ last: 2 })).toBe(1);
    expect((await there.series({ last: 4 })).map(({ at, count }) => [(at - midnight) / minuteMs, count])).toEqual([
      [0, 2],
      [1, 2],
      [2, 0],
      [3, 1],
    ]);
    clock.jump(2 * minuteMs);
    expect(await here.count()).toBe(3);
    clock.jump(2 * minuteMs);
    expect(await here.count()).toBe(1);
  });

  it('count labels and members apart, whatever is in them', async () => {
    const { here, there } = onBoth('texts');
    const texts = ['a', 'A', 'a:b', 'a}', '{a}', ' ', 'ä', '%61', '\ud800', '\udfff', '\ud83d\ude00', '\n', '\0', '$a'];
    texts.push('x'.repeat(256), 'x'.repeat(257), `${'x'.repeat(256)}y`, 'ä'.repeat(128), 'ä'.repeat(129));
    await here.add(texts);
    expect(await there.count()).toBe(texts.length);
    for (const of of texts) await here.add([of, 'somebody'], { of });
    for (const of of texts) expect(await there.count({ of })).toBe(2);
    expect(await there.count({ of: '' })).toBe(0);
    expect(await there.count()).toBe(texts.length);
  });

  it('count many within about 2 %, and more at once than a command takes', async () => {
    const { here, there } = onBoth('many', 'day');
    const members = Array.from({ length: 20_000 }, (_, index) => `visitor ${index}`);
    await here.add(members.slice(0, 15_000));
    await there.add(members.slice(5000));
    const count = await there.count();
    // The error of HyperLogLog has a deviation of 0.81 %: five of them never happen by chance.
    expect(Math.abs(count - 20_000) / 20_000).toBeLessThan(0.0405);
  });
});

describe('uniques on a Redis', () => {
  it('have a lifetime for every key', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const backend = await connect(`${server.url}?deadline=5s`, { requireWithin: '15s' });
    onTestFinished(() => backend.close());
    const visitors = uniques('visitors', { backend: backend as never, bucket: '1m', keep: 10 });
    await visitors.add('ada');
    await visitors.add('ada', { of: 'home' });
    const keys = (await server.cli('KEYS', '*')) as string[];
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      const left = Number(await server.cli('PTTL', key));
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(10 * minuteMs);
    }
  });
});
