import { createCache } from '../src/index.ts';
import { memory } from '../adapters/memory/index.ts';
const cache = createCache({ backend: memory(), ttl: '1h' });
const load = async () => ({ id: 1 });
await cache.get('city:4711', load);
await cache.get('city:4711', load);
await cache.get(['city', 4711], load);
await cache.get(['city', 4711], load);
const m = new Map([['city:4711', { v: Promise.resolve(1), e: Date.now() + 1e9 }]]);
async function mg(k: string) {
  const e = m.get(k)!;
  if (e.e > Date.now()) return e.v;
  return 1;
}
const kept = Promise.resolve(1);
const N = 300000;
async function t(name: string, f: () => Promise<void>) {
  const r: number[] = [];
  for (let i = 0; i < 9; i++) {
    const u = process.cpuUsage();
    await f();
    const d = process.cpuUsage(u);
    r.push(((d.user + d.system) * 1000) / N);
  }
  r.sort((a, b) => a - b);
  console.log(name, r[4]!.toFixed(0));
}
await t('await kept', async () => {
  for (let i = 0; i < N; i++) await kept;
});
await t('sync get', async () => {
  for (let i = 0; i < N; i++) cache.get('city:4711', load);
});
await t('await get', async () => {
  for (let i = 0; i < N; i++) await cache.get('city:4711', load);
});
await t('await map async', async () => {
  for (let i = 0; i < N; i++) await mg('city:4711');
});
await t('sync tuple', async () => {
  for (let i = 0; i < N; i++) cache.get(['city', 4711], load);
});
await t('sync get2', async () => {
  for (let i = 0; i < N; i++) cache.get('city:4711', load);
});
await t('Date.now', async () => {
  for (let i = 0; i < N; i++) Date.now();
});
