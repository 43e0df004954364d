// Retention as a property: whatever agents did, and however long ago, a sweep takes nothing that is open, and the history proves itself afterwards.
// A sweep whose rules are broken on purpose must be caught: each mutant drops one condition from the statements that decide what is over.

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Arg, Db } from '../../src/store/db.ts';
import { type Engine, onEveryEngine, sqlite, testHub } from '../support/engines.ts';
import { FAST, step, World } from '../support/world.ts';

/** Runs random histories; throws with the smallest one that breaks the rule. Answers how many rows were swept. */
async function check(engine: Engine, runs: number, seed?: number): Promise<number> {
  let swept = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const world = new World(await testHub(engine, { limits: { ...FAST, sweepBatch: 7 } }));
      await world.start();
      for (const one of steps) await world.take(one);
      await world.end();
      swept += world.swept;
      await world.hub.close();
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }), endOnFailure: true },
  );
  return swept;
}

onEveryEngine('retention', (engine) => {
  it('takes nothing that is open, whatever happened before', { timeout: 300_000 }, async () => {
    expect(await check(engine, engine.name === 'sqlite' ? 12 : 1)).toBeGreaterThan(0);
  });
});

/** An engine some of whose statements say something else. */
function mutated(from: string, to: string): { engine: Engine; hasBitten: () => boolean } {
  let bitten = false;
  const bite = (sql: string) => {
    if (!sql.includes(from)) return sql;
    bitten = true;
    return sql.replaceAll(from, to);
  };
  const changed = <T extends object>(inner: T): T =>
    new Proxy(inner, {
      get:
        (target, key) =>
        (sql: string, ...args: Arg[]) =>
          (Reflect.get(target, key) as (sql: string, ...args: Arg[]) => unknown).call(target, bite(sql), ...args),
    });
  const engine: Engine = {
    name: 'sqlite',
    async open(clock, place) {
      const db = await sqlite.open(clock, place);
      const own: Pick<Db, 'read' | 'write'> = {
        read: (look) => db.read((read) => look(changed(read))),
        write: (scope, change, durability) => db.write(scope, (tx) => change(changed(tx)), durability),
      };
      return new Proxy(db, {
        get(target, key) {
          if (key === 'read' || key === 'write') return own[key];
          const value: unknown = Reflect.get(target, key);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
  return { engine, hasBitten: () => bitten };
}

it.each([
  ['a message is over before anybody read it', `(d.state IN ('ready', 'leased')\n`, `(FALSE\n`],
  ['a request is over before it is answered', `NOT EXISTS (SELECT 1 FROM asks q WHERE q.message_id = m.id)`, 'FALSE'],
  [
    'a reminder that goes on is swept',
    'FROM reminders WHERE project_id = ? AND closed_at < ?',
    'FROM reminders WHERE project_id = ? AND COALESCE(closed_at, 0) < ?',
  ],
  ['a reservation is forgotten while it is held', `state <> 'held' AND ended_at < ?`, 'COALESCE(ended_at, 0) < ?'],
  [
    'swept deliveries are not told',
    'DELETE FROM deliveries WHERE message_id = ?',
    'DELETE FROM deliveries WHERE message_id = ? AND state <> state',
  ],
])('catches a sweep in which %s', { timeout: 300_000 }, async (_what, from, to) => {
  const { engine, hasBitten } = mutated(from, to);
  const outcome = await check(engine, 30, 1).then(
    () => 'nothing was noticed',
    () => 'caught',
  );
  expect([outcome, hasBitten()]).toEqual(['caught', true]);
});
