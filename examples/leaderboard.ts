/**
 * Leaderboards: one submit counts for ever, today and this week, and everybody sees at once who is ahead.
 *
 * Run: node --conditions=hotshelf:source --import tsx examples/leaderboard.ts
 */

import { connect } from 'hotshelf';
import { type BoardRow, leaderboard } from 'hotshelf/leaderboards';

interface Player {
  readonly name: string;
}

const backend = await connect(process.env['HOTSHELF_URL'] || 'memory:');
const quiz = leaderboard<'all' | 'day', Player>('example-quiz', {
  backend,
  windows: ['all', 'day'],
  timeZone: 'Europe/Paris',
  meta: true,
});
// What an earlier run may have left.
await quiz.removeScores({ least: 0 });

const shown = (rows: readonly BoardRow<Player>[]): string =>
  rows.map(({ rank, score, meta }) => `${rank}. ${meta?.name} ${score}`).join(', ');

for (const [id, name] of Object.entries({ u1: 'Anna', u2: 'Bob', u3: 'Chloé', u4: 'Dov' }))
  await quiz.setMeta(id, { name });
await quiz.submitMany([
  { member: 'u1', score: 120 },
  { member: 'u2', score: 90 },
  { member: 'u3', score: 90 },
  { member: 'u4', score: 40 },
]);
console.log(`Top: ${shown((await quiz.top(3)).rows)}`);

// Better than before: the score of today and that of all time, in one step.
const { day, all } = await quiz.submit('u4', 100);
console.log(`Dov: from ${day.previous} to ${day.score}, today ${day.rank}nd, in all ${all.rank}nd`);
// Worse than before: nothing changes.
console.log(`Dov again: improved ${(await quiz.submit('u4', 10)).day.improved}`);

const bob = await quiz.get('u2');
console.log(`Bob: rank ${bob?.rank} of ${bob?.size}, at least as good as ${bob?.percentile} %`);
console.log(`Around Bob: ${shown((await quiz.around('u2', 1))?.rows ?? [])}`);
const friends = await quiz.among(['u2', 'u4', 'somebody else']);
console.log(`Friends: ${friends.map(({ localRank, meta }) => `${localRank}. ${meta?.name}`).join(', ')}`);

// Who watches is told what changes.
const seen = new Promise<string>((resolve) => {
  quiz.subscribe(
    ({ rows, entered }) => {
      if (entered.some(({ member }) => member === 'u3')) resolve(shown(rows));
    },
    { size: 1 },
  );
});
await quiz.submit('u3', 150);
console.log(`Seen: ${await seen}`);

quiz.close();
await backend.close();
