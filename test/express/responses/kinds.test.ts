/** Answers for one URI that differ, and the tags by which answers are found again. */

import { describe, expect, it } from 'vitest';
import { cachedSite, frameworks } from './site.ts';

const hit: unknown = expect.stringMatching(/^hit/);
const stored = 'fwd=miss; stored';

describe.each(frameworks)('on %s', (framework) => {
  it('keeps one answer for each way in which the request fields that Vary names differ', async () => {
    const site = await cachedSite(
      (req, res) => {
        res.setHeader('Vary', 'X-One, x-two');
        res.end(`${String(req.headers['x-one'])}/${String(req.headers['x-two'])}`);
      },
      { ttl: '1m' },
      { framework },
    );
    const requests: Record<string, string>[] = [
      {},
      { 'X-One': 'a' },
      { 'X-Two': 'a' },
      { 'X-One': 'a', 'X-Two': 'b' },
      { 'X-One': '' },
    ];
    for (const how of [stored, hit]) {
      for (const fields of requests) {
        expect(await site.ask('/a', fields)).toMatchObject({
          text: `${String(fields['X-One'])}/${String(fields['X-Two'])}`,
          cached: how,
        });
      }
    }
    expect(site.runs()).toBe(requests.length);
  });

  it('follows answers that do not agree on what they differ by', async () => {
    // Those in German also differ by the device.
    const site = await cachedSite(
      (req, res) => {
        const language = req.headers['accept-language'] ?? '';
        const isGerman = language === 'de';
        res.setHeader('Vary', isGerman ? 'Accept-Language, X-Device' : 'Accept-Language');
        res.end(isGerman ? `de for ${String(req.headers['x-device'])}` : language);
      },
      { ttl: '1m' },
      { framework },
    );
    const textOf = (language: string, device: string) => (language === 'de' ? `de for ${device}` : language);
    for (let round = 0; round < 4; round += 1) {
      for (const language of ['en', 'de', 'fr']) {
        for (const device of ['phone', 'desk']) {
          const answer = await site.ask('/a', { 'Accept-Language': language, 'X-Device': device });
          expect(answer.text).toBe(textOf(language, device));
          if (round === 3) expect(answer.cached).toEqual(hit);
        }
      }
    }
  });

  it('takes the fields that the route names into the key from the start', async () => {
    const site = await cachedSite(
      (req, res) => res.end(`for ${req.headers['x-device'] as string}`),
      { ttl: '1m', vary: ['X-Device'] },
      { framework },
    );
    for (const how of [stored, hit]) {
      for (const device of ['phone', 'desk']) {
        expect(await site.ask('/a', { 'X-Device': device })).toMatchObject({ text: `for ${device}`, cached: how });
      }
    }
  });

  it('ends answers by the tags of the route, by those of one answer, and by its groups', async () => {
    let version = 0;
    const site = await cachedSite(
      (req, res) => {
        version += 1;
        if (req.url === '/c') res.setHeader('Cache-Groups', '"ours", "others"');
        res.end(`${req.url} ${version}`);
      },
      {
        ttl: '1m',
        tags: (req, { status }) => [
          ['path', req.url],
          ['status', status],
        ],
      },
      { framework },
    );
    const paths = ['/a', '/b', '/c'];
    const state = async () => {
      const answers = [];
      for (const path of paths) answers.push((await site.ask(path)).cached.startsWith('hit'));
      return answers;
    };
    await state();
    expect(await state()).toEqual([true, true, true]);
    await site.cache.invalidateTags([['path', '/b']]);
    expect(await state()).toEqual([true, false, true]);
    await site.cache.invalidateTags([['status', 200]]);
    expect(await state()).toEqual([false, false, false]);
    await site.ask('/c', { 'Content-Type': 'text/plain' });
    expect(await state()).toEqual([true, true, true]);
  });

  it('ends what is in many groups, of a host with a long name, by one of them', async () => {
    const groups = Array.from({ length: 32 }, (_, at) => `"${`group-${at}-`.padEnd(32, 'x')}"`);
    const site = await cachedSite(
      (req, res) => {
        if (req.method === 'POST') res.setHeader('Cache-Group-Invalidation', groups[31] ?? '');
        else res.setHeader('Cache-Groups', groups.join(', '));
        res.end('text');
      },
      { ttl: '1m' },
      { framework },
    );
    const fields = { Host: `${'a-long-name-'.repeat(4)}of-a-host.example` };
    await site.ask('/a', fields);
    expect((await site.ask('/a', fields)).cached).toMatch(/^hit/);
    await site.ask('/b', fields, { method: 'POST' });
    expect((await site.ask('/a', fields)).cached).toBe(stored);
  });

  it('has the answers of all made again when the tags of the route are ended', async () => {
    const site = await cachedSite(
      (_req, res) => res.end('text'),
      { ttl: '1m', tags: ['pages'], vary: ['x-device'] },
      { framework },
    );
    for (const device of ['phone', 'desk']) await site.ask('/a', { 'X-Device': device });
    await site.cache.invalidateTags(['pages']);
    for (const device of ['phone', 'desk']) expect((await site.ask('/a', { 'X-Device': device })).cached).toBe(stored);
  });
});
