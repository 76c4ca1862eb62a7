/** Runs the benchmarks and keeps what they say in `bench/results.md`. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

const sections: Readonly<Record<string, () => Promise<string>>> = {
  local: async () => (await import('./local.ts')).local(),
  remote: async () => (await import('./remote.ts')).remote(),
  trips: async () => (await import('./trips.ts')).trips(),
  stampede: async () => (await import('./stampede.ts')).stampede(),
  eviction: async () => (await import('./eviction.ts')).eviction(),
};

const { positionals } = parseArgs({ allowPositionals: true });
const wanted = positionals.length === 0 ? Object.keys(sections) : positionals;
const parts: string[] = [];
for (const name of wanted) {
  const section = sections[name];
  if (section === undefined) {
    console.error(`There is no benchmark "${name}". There are ${Object.keys(sections).join(', ')}.`);
    process.exit(2);
  }
  const text = await section();
  console.log(text);
  parts.push(text);
}
if (positionals.length === 0) {
  const machine = `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`;
  const head = `# Results\n\n\`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine}. Medians over interleaved rounds; CPU is that of the client process; a ratio compares with the floor of the same round. Below 1 is cheaper than the floor.\n`;
  writeFileSync(new URL('./results.md', import.meta.url), [head, ...parts].join('\n'));
}
process.exit(0);
