/** Shows what leaderboards on Redis are after faults: every acknowledged submission is there, and none counts twice. */

import { afterEach, describe, expect, it } from 'vitest';
import { commandError } from '../../../adapters/redis/errors.ts';
import type { RankingRules } from '../../../src/backend/rankings.ts';
import { HotshelfError } from '../../../src/support/errors.ts';
import { startRedisCluster } from '../../kit/cluster.ts';
import { sleep, until } from '../../kit/wait.ts';
import { backendOn, cleanUp, errorOf, later, outcomeOf, proxyOf, server, up } from './support.ts';

afterEach(cleanUp);

const sum: RankingRules = { order: 'desc', ties: 'competition', mode: 'sum', cap: Infinity };
const dense: RankingRules = { ...sum, ties: 'dense' };
const earliest: RankingRules = { ...sum, ties: 'earliest' };
const boards = ['quiz:{eu}:day', 'quiz:{eu}:all'].map((key) => ({ key, expiresAt: Infinity }));
const key = 'quiz:{eu}:day';
const annie = [{ member: 'annie', score: 1 }];

describe('faults', () => {
  it('of the script cache are not seen', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    let flushes = 0;
    for (let round = 0; round < 60; round += 1) {
      const some = Promise.all(Array.from({ length: 5 }, () => rankings.submit(boards, dense, annie)));
      if (round % 3 === 0) flushes += (await real.cli('SCRIPT', 'FLUSH')) === 'OK' ? 1 : 0;
      await some;
      if (round % 3 === 1) await real.cli('SCRIPT', 'FLUSH');
      expect((await rankings.find(key, dense, ['annie'])).standings[0]?.score).toBe(5 * (round + 1));
    }
    expect(flushes).toBe(20);
  });

  it('of the wire never count twice', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(`redis://127.0.0.1:${proxy.port}`, {});
    // The server knows the script from now on.
    await backend.rankings.submit(boards, earliest, annie);
    let answered = 1;
    let unknown = 0;
    for (let round = 0; round < 30; round += 1) {
      await until(up(backend), { what: 'the backend to be back', every: 2 });
      if (round % 2 === 0) proxy.truncateNextReply(round % 4, 'close');
      const outcome = await outcomeOf(backend.rankings.submit(boards, earliest, annie));
      if (outcome === 'ok') answered += 1;
      if (outcome === 'OUTCOME_UNKNOWN') unknown += 1;
    }
    expect(unknown).toBeGreaterThan(10);
    await until(up(backend), { what: 'the backend to be back' });
    await sleep(200);
    // Each submission reached the server once: what was lost is the reply.
    for (const { key: name } of boards) {
      const { standings } = await backend.rankings.find(name, earliest, ['annie']);
      expect(standings[0]?.score).toBe(answered + unknown);
    }
  });

  /** Kills the server in the midst of submissions, each for a member of its own; says what became of them. */
  async function afterKill(args: readonly string[]) {
    const real = await server({ args });
    const backend = await backendOn(real.url);
    const outcomes = new Map<string, string>();
    let killed: Promise<void> | undefined;
    const load = async (writer: number) => {
      for (let count = 0; count < 5000; count += 1) {
        const member = `m${writer}:${count}`;
        const outcome = await outcomeOf(backend.rankings.submit(boards, dense, [{ member, score: 1 }]));
        outcomes.set(member, outcome);
        if (outcomes.size > 600) killed ??= real.kill();
        if (outcome !== 'ok') return;
      }
    };
    await Promise.all(Array.from({ length: 24 }, (_, writer) => load(writer)));
    await killed;
    await real.restart();
    await until(up(backend), { what: 'the backend to be back' });
    const members = [...outcomes.keys()];
    const scores = new Map<string, (number | undefined)[]>();
    for (let from = 0; from < members.length; from += 1000) {
      const some = members.slice(from, from + 1000);
      const found = await Promise.all(boards.map((board) => backend.rankings.find(board.key, dense, some)));
      for (const [at, member] of some.entries()) {
        scores.set(
          member,
          found.map(({ standings }) => standings[at]?.score),
        );
      }
    }
    const having = (...wanted: string[]) => members.filter((member) => wanted.includes(outcomes.get(member) ?? ''));
    const isThere = (member: string) => scores.get(member)?.every((score) => score === 1) === true;
    const isAway = (member: string) => scores.get(member)?.every((score) => score === undefined) === true;
    return {
      acknowledged: having('ok').length,
      lost: having('ok').filter((member) => !isThere(member)).length,
      unknown: having('OUTCOME_UNKNOWN').length,
      torn: having('OUTCOME_UNKNOWN').filter((member) => !isThere(member) && !isAway(member)).length,
      ghosts: having('BACKEND_DOWN').filter((member) => !isAway(member)).length,
    };
  }

  it('of the whole server lose no acknowledged submission if it writes every one to disk first', async () => {
    const everyOne = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const { acknowledged, lost, unknown, torn, ghosts } = await afterKill(everyOne);
    expect(acknowledged).toBeGreaterThan(500);
    expect(unknown).toBeGreaterThan(0);
    expect({ lost, torn, ghosts }).toEqual({ lost: 0, torn: 0, ghosts: 0 });
  });

  it('of the whole server lose them all if it writes nothing', async () => {
    const { acknowledged, lost } = await afterKill([]);
    expect(acknowledged).toBeGreaterThan(500);
    expect(lost).toBe(acknowledged);
  });
});

describe('a server that refuses', () => {
  it('answers questions and takes members off when it is out of memory, and applies no submission by half', async () => {
    const real = await server({ args: ['--maxmemory-policy', 'noeviction'] });
    const { rankings } = await backendOn(real.url);
    for (const rules of [sum, dense, earliest, { ...sum, mode: 'decay', halfLifeMs: 1000, cap: 2 } as const]) {
      await real.cli('FLUSHALL');
      await rankings.submit(boards.slice(0, 1), rules, [...annie, { member: 'bob', score: 0.5 }]);
      const scoresOf = async () => (await rankings.page(key, rules, { from: 0, count: 9 })).rows;
      const before = await scoresOf();
      await real.cli('CONFIG', 'SET', 'maxmemory', '1');
      const refused = await errorOf(rankings.submit(boards, rules, [...annie, { member: 'bob', score: 1 }]));
      expect([refused.code, refused.message]).toEqual(['BACKEND_REFUSED', expect.stringMatching(/OOM.*memory/)]);
      expect(await scoresOf()).toEqual(before);
      expect((await rankings.find(key, rules, ['annie'])).standings[0]?.rank).toBe(1);
      expect(await real.cli('EXISTS', boards[1]?.key ?? '')).toBe(0);
      expect(await rankings.remove([key], rules, ['bob'])).toEqual([1]);
      expect(await rankings.removeScores([key], rules, -Infinity, Infinity)).toEqual([1]);
      await real.cli('CONFIG', 'SET', 'maxmemory', '0');
      expect(await outcomeOf(rankings.submit(boards, rules, annie))).toBe('ok');
    }
  });

  it('is reported as down for submissions while it is a replica', async () => {
    const [real, other] = await Promise.all([server(), server()]);
    const backend = await backendOn(real.url);
    await backend.rankings.submit(boards, earliest, annie);
    await real.cli('REPLICAOF', other.host, other.port);
    const error = await errorOf(backend.rankings.submit(boards, earliest, annie));
    expect([error.code, error.message]).toEqual(['BACKEND_DOWN', expect.stringContaining('READONLY')]);
    await real.cli('REPLICAOF', 'NO', 'ONE');
    const back = async () => (await outcomeOf(backend.rankings.submit(boards, earliest, annie))) === 'ok';
    await until(back, { what: 'submissions to work' });
  });

  it('is understood in the words of Redis 6.2, which has the answer of a command behind those of its script', () => {
    const said = (answer: string) => {
      const told = `ERR Error running script (call to f_${'0'.repeat(40)}): @user_script:61: ${answer}`;
      return commandError('the server', Object.assign(new Error(told), { name: 'ReplyError' }));
    };
    const outcomes = [
      'WRONGTYPE Operation against a key holding the wrong kind of value',
      "@user_script: 61: -OOM command not allowed when used memory > 'maxmemory'. ",
      "@user_script: 61: -READONLY You can't write against a read only replica. ",
      "attempt to index global 'x' (a nil value)",
    ].map((answer) => said(answer));
    expect(outcomes.map(({ message }) => / answered (\w+)/.exec(message)?.[1])).toEqual([
      'WRONGTYPE',
      'OOM',
      'READONLY',
      'ERR',
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([
      'BACKEND_REFUSED',
      'BACKEND_REFUSED',
      'BACKEND_DOWN',
      'BACKEND_REFUSED',
    ]);
  });

  it('says nothing of the members or their scores', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    await real.cli('CONFIG', 'SET', 'maxmemory', '1');
    const error = await errorOf(rankings.submit(boards, sum, [{ member: 'secret-name', score: 12_345.678 }]));
    expect(error).toBeInstanceOf(HotshelfError);
    expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toMatch(/secret-name|12345\.678/);
  });
});

describe('a server that may drop boards', () => {
  const warning = /maxmemory-policy (\S+)\): set it to noeviction, or give rankings a server of their own\.$/;

  it('is named with what to do about it, and others are not', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    expect(await rankings.endangered?.()).toBeUndefined();
    await real.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await rankings.endangered?.()).toBeUndefined();
    await real.cli('CONFIG', 'SET', 'maxmemory', '100mb');
    expect(warning.exec((await rankings.endangered?.()) ?? '')?.[1]).toBe('allkeys-lru');
    expect(await rankings.endangered?.()).toContain(`127.0.0.1:${real.port}`);
    await real.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl');
    expect(warning.exec((await rankings.endangered?.()) ?? '')?.[1]).toBe('volatile-ttl');
    await real.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    expect(await rankings.endangered?.()).toBeUndefined();
  });

  it('is found among the masters of a Cluster', async () => {
    const cluster = later((one) => one.stop(), await startRedisCluster());
    const [node, , last] = cluster.masters;
    const { rankings } = await backendOn(`redis+cluster://${node?.host}:${node?.port}`);
    expect(await rankings.endangered?.()).toBeUndefined();
    await last?.cli('CONFIG', 'SET', 'maxmemory', '100mb');
    await last?.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
    expect(await rankings.endangered?.()).toContain(`127.0.0.1:${last?.port}`);
  });

  it('is no reason to fail when nothing can be known', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    await real.cli('ACL', 'SETUSER', 'default', '-info');
    expect(await backend.rankings.endangered?.()).toBeUndefined();
    await backend.close();
    expect(await backend.rankings.endangered?.()).toBeUndefined();
  });
});
