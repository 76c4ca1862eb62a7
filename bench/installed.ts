/** Imports the packages that only the benchmarks need, from `bench/node_modules`, where types are not looked for. */

export type Module = Readonly<Record<string, unknown>>;
export type Class = new (...args: unknown[]) => unknown;

/** Rejects if the package is not installed. */
export async function installed(name: string): Promise<Module> {
  return (await import(import.meta.resolve(name))) as Module;
}

/** Opens what can be opened, and says what is left out and why. */
export async function openAll<Opened>(
  openers: Readonly<Record<string, () => Promise<Opened>>>,
): Promise<(readonly [name: string, opened: Opened])[]> {
  const found: [string, Opened][] = [];
  for (const [name, open] of Object.entries(openers)) {
    try {
      found.push([name, await open()]);
    } catch (error) {
      console.error(`${name} is left out: ${String(error)}`);
    }
  }
  return found;
}
