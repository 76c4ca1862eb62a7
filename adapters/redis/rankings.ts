/** The rankings facet on Redis: sorted sets, changed and read by one script for each call, or for all alike of a tick. */

import {
  checkBoardKeys,
  checkMembers,
  checkMove,
  checkQuery,
  checkRules,
  checkScores,
  checkSubmit,
} from '../../src/backend/rankings/check.ts';
import type {
  RankingBoard,
  RankingEntry,
  RankingFound,
  RankingPage,
  RankingQuery,
  RankingRules,
  Rankings,
  Submission,
  Submitted,
} from '../../src/backend/rankings.ts';
import type { CommandArgument, Reply } from './client.ts';
import { endangered } from './endangered.ts';
import { brokenReply } from './errors.ts';
import type { Nodes } from './nodes.ts';
import {
  moveScript,
  readCounts,
  readMoved,
  readScanned,
  removeScoresScript,
  removeScript,
  scanScript,
} from './rankings-change.ts';
import { RankingsBatch } from './rankings-batch.ts';
import { boundOf, expiryOf, keysOf } from './rankings-lua.ts';
import { pageScript, readPage, writeQuery } from './rankings-page.ts';
import { runScriptOn, type Script } from './scripts.ts';

/** About so many members at a time: a server does nothing else while it reads them. */
const scannedAtOnce = 500;

export class RedisRankings implements Rankings {
  readonly maxMembers = Infinity;
  readonly #nodes: Nodes;
  readonly #batch: RankingsBatch;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#batch = new RankingsBatch(nodes);
  }

  async submit(
    boards: readonly RankingBoard[],
    rules: RankingRules,
    submissions: readonly Submission[],
  ): Promise<readonly (readonly Submitted[])[]> {
    checkSubmit(boards, rules, submissions, this.maxMembers);
    return this.#batch.submit(boards, rules, submissions);
  }

  async page(key: string, rules: RankingRules, query: RankingQuery): Promise<RankingPage> {
    checkQuery(key, rules, query, this.maxMembers);
    return known(readPage(await this.#run(pageScript, [key], rules, writeQuery(rules, query)), rules));
  }

  async find(key: string, rules: RankingRules, members: readonly string[]): Promise<RankingFound> {
    this.#check([key], rules);
    checkMembers(members);
    return this.#batch.find(key, rules, members);
  }

  async remove(keys: readonly string[], rules: RankingRules, members: readonly string[]): Promise<readonly number[]> {
    this.#check(keys, rules);
    checkMembers(members);
    return known(readCounts(await this.#run(removeScript, keys, rules, [...named(rules), ...members]), keys.length));
  }

  async removeScores(
    keys: readonly string[],
    rules: RankingRules,
    least: number,
    most: number,
  ): Promise<readonly number[]> {
    this.#check(keys, rules);
    checkScores(least, most);
    const args = [...named(rules), boundOf(least), boundOf(most)];
    return known(readCounts(await this.#run(removeScoresScript, keys, rules, args), keys.length));
  }

  async move(key: string, to: RankingBoard, rules: RankingRules): Promise<'moved' | 'missing' | 'taken'> {
    checkMove(key, to, rules, this.maxMembers);
    const args = [...named(rules), expiryOf(to.expiresAt)];
    return known(readMoved(await this.#run(moveScript, [key, to.key], rules, args)));
  }

  async *scan(key: string, rules: RankingRules): AsyncGenerator<readonly RankingEntry[], void, undefined> {
    this.#check([key], rules);
    let cursor = '0';
    do {
      const reply = await this.#run(scanScript, [key], rules, [...named(rules), cursor, scannedAtOnce]);
      const scanned = known(readScanned(reply, rules));
      ({ cursor } = scanned);
      if (scanned.entries.length > 0) yield scanned.entries;
    } while (cursor !== '0');
  }

  endangered(): Promise<string | undefined> {
    return endangered(this.#nodes);
  }

  #check(keys: readonly string[], rules: RankingRules): void {
    checkRules(rules, this.maxMembers);
    checkBoardKeys(keys);
  }

  #run(
    script: Script,
    boards: readonly string[],
    rules: RankingRules,
    args: readonly CommandArgument[],
  ): Promise<Reply> {
    return runScriptOn(this.#nodes, script, keysOf(boards, rules, this.#nodes.keyPrefix), args);
  }
}

/** What the arguments of every script begin with. */
function named({ order, ties }: RankingRules): CommandArgument[] {
  return [order, ties];
}

function known<Read>(read: Read | undefined): Read {
  if (read === undefined) throw brokenReply();
  return read;
}
