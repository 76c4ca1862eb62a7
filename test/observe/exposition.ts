/** Reads Prometheus' text format 0.0.4, strictly, so that a test can say that what was written is that. */

export interface Family {
  readonly type: string;
  readonly help: string;
  /** Values by the labels, as JSON of their sorted pairs. */
  readonly samples: Map<string, number>;
}

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const help = new RegExp(String.raw`^# HELP (${metricName}) ((?:[^\\\n]|\\\\|\\n)*)$`);
const type = new RegExp(`^# TYPE (${metricName}) (counter|gauge|summary)$`);
const sample = new RegExp(String.raw`^(${metricName})\{(.*)\} (\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|Nan|NaN)$`, 's');
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/** Returns the metrics by name. Throws at the first line that the format does not allow. */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  if (text !== '' && !text.endsWith('\n')) throw new Error('The last line must end.');
  let open: { name: string; help: string } | undefined;
  let current: string | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, helpName, helpText] = help.exec(line) ?? [];
    const [, typeName, typeText] = type.exec(line) ?? [];
    if (helpName !== undefined && helpText !== undefined) {
      if (families.has(helpName)) throw new Error(`${helpName} stands in two places.`);
      open = { name: helpName, help: helpText };
    } else if (typeName !== undefined && typeText !== undefined) {
      if (open?.name !== typeName) throw new Error(`${typeName} has no HELP line before its TYPE.`);
      families.set(typeName, { type: typeText, help: open.help, samples: new Map() });
      current = typeName;
    } else readSample(line, families.get(current ?? ''), current);
  }
  return families;
}

function readSample(line: string, family: Family | undefined, current: string | undefined): void {
  const [, name, labels, value] = sample.exec(line) ?? [];
  if (family === undefined || name !== current || labels === undefined) throw new Error(`Not a sample: ${line}`);
  const key = labelKey(readLabels(labels));
  if (family.samples.has(key)) throw new Error(`Two samples of one name and labels: ${line}`);
  family.samples.set(key, Number(value));
}

function readLabels(text: string): Record<string, string> {
  const labels: [string, string][] = [];
  label.lastIndex = 0;
  for (let at = 0; at < text.length; at = label.lastIndex) {
    const [, name, value] = label.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new Error(`Not labels: ${text}`);
    labels.push([name, value.replaceAll(/\\(.)/g, (_, mark: string) => (mark === 'n' ? '\n' : mark))]);
  }
  return Object.fromEntries(labels);
}

/** Names a sample by its labels. */
export function labelKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
