/** Runs the benchmarks and keeps what they say in `bench/results.md`; with names only those, and `--quick` to see that they run. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Effort, full, quick } from './measure.ts';

const sections: Readonly<Record<string, (effort: Effort) => Promise<string>>> = {
  local: async (effort) => (await import('./local.ts')).local(effort),
  decorated: async (effort) => (await import('./decorated.ts')).decorated(effort),
  remote: async (effort) => (await import('./remote.ts')).remote(effort),
  batch: async (effort) => (await import('./batch.ts')).batch(effort),
  tags: async (effort) => (await import('./tags.ts')).tags(effort),
  trips: async () => (await import('./trips.ts')).trips(),
  responses: async (effort) => (await import('./responses.ts')).responses(effort),
  sessions: async (effort) => (await import('./sessions.ts')).sessions(effort),
  limits: async (effort) => (await import('./limits.ts')).limits(effort),
  leaderboards: async (effort) => (await import('./leaderboards.ts')).leaderboards(effort),
  stampede: async () => (await import('./stampede.ts')).stampede(),
  eviction: async (effort) => (await import('./eviction.ts')).eviction(effort),
};

const { positionals, values } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean' } } });
const wanted = positionals.length === 0 ? Object.keys(sections) : positionals;
const unknown = wanted.find((name) => !Object.hasOwn(sections, name));
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}". There are ${Object.keys(sections).join(', ')}.`);
  process.exit(2);
}
const parts: string[] = [];
for (const name of wanted) {
  const text = await sections[name]?.(values.quick === true ? quick : full);
  console.log(text);
  parts.push(text ?? '');
}
if (positionals.length === 0 && values.quick !== true) {
  const machine = `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`;
  const head = `# Results\n\n\`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine}. Medians over interleaved rounds; CPU is that of the client process; a ratio compares with the floor of the same round. Below 1 is cheaper than the floor.\n`;
  writeFileSync(new URL('./results.md', import.meta.url), [head, ...parts].join('\n'));
}
process.exit(0);
