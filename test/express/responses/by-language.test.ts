/** Shows which requests share an answer where answers differ by their language alone. */

import express from 'express';
import { createCache } from 'hotshelf';
import { cacheResponses } from 'hotshelf/express';
import { memory } from 'hotshelf/memory';
import request from 'supertest';
import { describe, expect, it } from 'vitest';

/** A site in German, and where `speaks` says so in others; `asked` has what its handler was asked for. */
function site(speaks: readonly string[] = ['de'], byLanguage = true) {
  const asked: string[] = [];
  const cache = createCache({ backend: memory() });
  const app = express();
  app.get('/', cacheResponses({ cache, byLanguage }), (req, res) => {
    const accepted = String(req.headers['accept-language']);
    asked.push(accepted);
    const language = speaks.find((one) => accepted.startsWith(one)) ?? 'de';
    res.set({ 'Cache-Control': 'max-age=60', Vary: 'Accept-Language, X-Tenant', 'Content-Language': language });
    res.send(`in ${language} for ${req.get('x-tenant') ?? 'nobody'}`);
  });
  const get = async (language: string, tenant = 'a'): Promise<string> => {
    const { text } = await request(app)
      .get('/')
      .set({ Host: 'site.test', 'Accept-Language': language, 'X-Tenant': tenant });
    return text;
  };
  return { asked, cache, get };
}

describe('with byLanguage', () => {
  it('the order of languages that are liked as much does not count', async () => {
    const { asked, get } = site();
    await get('en, de');
    expect(await get('DE ,en')).toBe('in de for a');
    expect(asked).toEqual(['en, de']);
  });

  it('an answer is for everybody who likes its language best', async () => {
    const { asked, get } = site();
    await get('en, de');
    expect(await get('fr;q=0.5, de')).toBe('in de for a');
    expect(await get('de')).toBe('in de for a');
    expect(asked).toEqual(['en, de']);
  });

  it('it is for nobody who likes another one better, or as much', async () => {
    const { asked, get } = site(['de', 'en']);
    await get('de');
    expect(await get('en, de;q=0.9')).toBe('in en for a');
    expect(await get('*, de')).toBe('in de for a');
    expect(await get('fr, de')).toBe('in de for a');
    expect(asked).toEqual(['de', 'en, de;q=0.9', '*, de', 'fr, de']);
  });

  it('what else an answer differs by still counts', async () => {
    const { asked, get } = site();
    await get('en, de', 'a');
    expect(await get('de', 'b')).toBe('in de for b');
    expect(asked).toEqual(['en, de', 'de']);
  });

  it('an answer that was ended is ended for all of them', async () => {
    const { asked, cache, get } = site();
    await get('en, de');
    await get('de');
    await cache.namespace('responses').clear();
    await get('de');
    expect(asked).toEqual(['en, de', 'de']);
  });
});

it('without it, only requests that name the same languages in the same order share an answer', async () => {
  const { asked, get } = site(['de'], false);
  for (const languages of ['en, de', 'de, en', 'de', 'en,de']) await get(languages);
  expect(asked).toEqual(['en, de', 'de, en', 'de']);
});
