import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseUnusable } from '../../examples/atlas/database/database.ts';
import { fillPostgres, openPostgres } from '../../examples/atlas/database/postgres.ts';
import { freePort } from '../kit/port.ts';
import { type PostgresServer, startPostgres } from '../kit/servers.ts';

describe('filling a PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  it('happens once, when several instances start at once', async () => {
    let fillers = 0;
    const onProgress = (loaded: number): void => {
      if (loaded === 0) fillers += 1;
    };
    await Promise.all(Array.from({ length: 4 }, () => fillPostgres(server.url, { limit: 12_000, onProgress })));
    await fillPostgres(server.url, { limit: 12_000, onProgress });
    expect(fillers).toBe(1);
    const database = openPostgres(server.url);
    const rows = await database.query<{ count: number }>('select cast(count(*) as integer) as count from atlas_city');
    expect(rows).toEqual([{ count: 12_000 }]);
    await database.close();
  });

  it('says in one line that the server does not answer', async () => {
    const filled = fillPostgres(`postgres://someone:s3cret@localhost:${await freePort()}/atlas`);
    const error = await filled.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DatabaseUnusable);
    expect(String(error)).toContain('ECONNREFUSED');
    expect(String(error)).not.toContain('s3cret');
  });
});
