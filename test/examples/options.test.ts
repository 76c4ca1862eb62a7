import { describe, expect, it } from 'vitest';
import { readOptions, UsageError } from '../../examples/atlas/options.ts';
import { showProgress } from '../../examples/atlas/progress.ts';

describe('the options of the atlas', () => {
  it('have defaults', () => {
    expect(readOptions([], {})).toEqual({
      args: [],
      help: false,
      port: 3000,
      instances: 2,
      wantedProcesses: false,
      areProcesses: false,
      requestsPerMinute: 12_000,
      failedLogins: 20,
      limit: undefined,
      ttlMs: 300_000,
      breakOriginMs: undefined,
      backendUrl: 'memory:',
      databaseUrl: undefined,
      secrets: [],
    });
  });

  it('start processes only when they are asked for and the backend is a server', () => {
    const redis = { HOTSHELF_URL: 'redis://localhost' };
    expect(readOptions(['--instances', '3'], redis)).toMatchObject({ instances: 3, areProcesses: true });
    expect(readOptions(['--instances=3'], {})).toMatchObject({
      instances: 3,
      wantedProcesses: true,
      areProcesses: false,
    });
    expect(readOptions([], redis)).toMatchObject({ instances: 2, areProcesses: false });
  });

  it.each([
    ['500ms', 500],
    ['5s', 5000],
    ['2m', 120_000],
  ])('take %s as a time', (text, ms) => {
    expect(readOptions(['--ttl', text, `--break-origin=${text}`], {})).toMatchObject({ ttlMs: ms, breakOriginMs: ms });
  });

  it('limit clients', () => {
    const args = ['--rate', '60', '--failed-logins=3'];
    expect(readOptions(args, {})).toMatchObject({ requestsPerMinute: 60, failedLogins: 3 });
  });

  it('have a secret for sessions, or a newer one and older ones', () => {
    const [newer, older] = ['n'.repeat(32), 'o'.repeat(44)];
    expect(readOptions([], { SESSION_SECRET: newer })).toMatchObject({ secrets: [newer] });
    expect(readOptions([], { SESSION_SECRET: `${newer},${older}` })).toMatchObject({ secrets: [newer, older] });
  });

  it.each([
    [['--instances', '0'], {}],
    [['--instances', 'two'], {}],
    [['--instances'], {}],
    [['--limit=-1'], {}],
    [['--rate', '0'], {}],
    [['--rate=1.5'], {}],
    [['--failed-logins', 'many'], {}],
    [['--port', '1'], {}],
    [['--ttl', '0s'], {}],
    [['--ttl', '5'], {}],
    [['--ttl', '5 s'], {}],
    [['--break-origin', 'soon'], {}],
    [['--break-origin=-5s'], {}],
    [['--break-origin'], {}],
    [['start'], {}],
    [[], { PORT: '65536' }],
    [[], { PORT: 'http' }],
    [[], { DATABASE_URL: 'mysql://localhost/atlas' }],
    [[], { DATABASE_URL: 'localhost' }],
    [[], { SESSION_SECRET: 'x'.repeat(31) }],
    [[], { SESSION_SECRET: `${'x'.repeat(32)},short` }],
    [[], { SESSION_SECRET: `${'x'.repeat(32)},` }],
  ] as [string[], NodeJS.ProcessEnv][])('refuse %j %j in one line', (args, env) => {
    const read = (): unknown => readOptions(args, env);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(/^[^\n]+$/);
  });
});

describe('the progress of the load', () => {
  const written = (isTTY: boolean): string => {
    let text = '';
    const output = {
      isTTY,
      write: (more: string) => {
        text += more;
        return true;
      },
    };
    const show = showProgress(output);
    for (let loaded = 0; loaded <= 20; loaded += 1) show(loaded * 1000, 20_000);
    return text;
  };

  it('is one line that moves on a terminal', () => {
    const text = written(true);
    expect(text.split('\r')).toHaveLength(22);
    expect(text.split('\n')).toEqual([expect.stringContaining('\rLoading cities: 20,000 of 20,000'), '']);
  });

  it('is a few plain lines elsewhere', () => {
    expect(written(false).split('\n')).toEqual([
      'Loading cities: 0 of 20,000',
      'Loading cities: 5,000 of 20,000',
      'Loading cities: 10,000 of 20,000',
      'Loading cities: 15,000 of 20,000',
      'Loading cities: 20,000 of 20,000',
      '',
    ]);
  });
});
