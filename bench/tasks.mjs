// Tasks: the claim of the best among a hundred thousand open tasks beside the same among a hundred, in the same run, one after the other, so
// that the machine's moods hit both alike; and the plans of the statements that choose, as SQLite tells them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { attachment, load, openHub } from '../prove/hub.mjs';
import { startServer } from '../prove/stdio-raw.mjs';
import { quantile, summary, timed } from './figures.mjs';

const LIMITS = { sendPerSecond: 100_000, sendBurst: 100_000, sendPerMinute: 10_000_000, heldTasks: 100 };
const FEW = 100;
const MANY = 100_000;
/** Fifty combinations of needs; the claimer can serve a tenth of them. */
const TAGS = Array.from({ length: 49 }, (_, n) => [`skill${n}`]);
const NEEDS = [[], ...TAGS];
const OWN = ['skill1', 'skill11', 'skill21', 'skill31', 'skill41'];
const PRIORITIES = ['low', 'normal', 'high', 'urgent'];

export async function benchTasks(home, table, { runs }) {
  const few = await world(join(home, 'few'), FEW);
  const many = await world(join(home, 'many'), MANY);
  const [a, b] = [[], []];
  for (let n = -20; n < runs; n++) {
    for (const [one, times] of [
      [few, a],
      [many, b],
    ]) {
      const micros = await one.claim();
      if (n >= 0) times.push(micros);
    }
  }
  const of = (times) => summary(times.sort((x, y) => x - y));
  table.add(`claim the best of ${FEW}`, of(a), { note: 'committed and synced' });
  const ratio = quantile(b, 0.5) / quantile(a, 0.5);
  table.add(`claim the best of ${MANY}`, of(b), {
    floor: `claim the best of ${FEW}`,
    note: ratio <= 3 ? 'within 3 x, as promised' : 'NOT within 3 x',
  });
  const [c, d] = [await few.choices(runs), await many.choices(runs)];
  table.add(`choose among ${FEW}`, of(c), { note: 'the look alone, without the commit' });
  table.add(`choose among ${MANY}`, of(d), { floor: `choose among ${FEW}`, note: '50 queues, of which it can serve 6' });
  table.add(`create_task among ${MANY}`, of(await many.submissions(runs)), {
    floor: 'raw insert',
    note: 'over stdio, committed and synced; promised p95 20 ms',
  });
  for (const line of await plans(join(home, 'many'))) process.stderr.write(`  ${line}\n`);
  await few.close();
  await many.close();
}

async function world(home, count) {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, 'config.json'), JSON.stringify({ limits: LIMITS }), { mode: 0o600 });
  const hub = await openHub(home, { limits: LIMITS });
  const boss = await hub.sessions.attach(attachment('boss', { role: 'manager' }));
  const worker = await hub.sessions.attach(attachment('worker'));
  await hub.joining.join(worker, attachment('worker'), { capabilities: OWN }, { tool: 'join' });
  await fill(hub, boss, count);
  const { claimableNeeds, firstOf } = await load('store/task-queue.js');
  return {
    close: () => hub.close(),
    /** One claim, in microseconds; what was claimed is given back. */
    async claim() {
      const since = performance.now();
      const { taskId } = await hub.claims.claim(worker, undefined, { tool: 'claim_task' });
      const micros = (performance.now() - since) * 1000;
      const { task } = await hub.taskViews.get(worker, taskId);
      await hub.taskUpdates.update(worker, taskId, { fencingToken: task.fencingToken, state: 'submitted' }, { tool: 'update_task' });
      return micros;
    },
    /** Whole calls of create_task, as a client makes them. */
    async submissions(runs) {
      const client = startServer(home, 'boss2');
      await client.initialize();
      await client.call('whoami');
      const times = await timed(runs, (n) => client.call('create_task', { title: `submitted ${n}`, body: 'x'.repeat(300) }));
      await client.close();
      return times;
    },
    async choices(runs) {
      const times = [];
      for (let n = 0; n < runs; n++) {
        const since = performance.now();
        await hub.context.db.read(async (read) => {
          const served = (await claimableNeeds(read, boss.projectId, 400)).filter((needs) => needs.every((tag) => OWN.includes(tag)));
          for (const needs of served) await firstOf(read, boss.projectId, needs, 1);
        });
        times.push((performance.now() - since) * 1000);
      }
      return times;
    },
  };
}

/** Open tasks over all queues and priorities, a week of them, written as create_task writes them. */
async function fill(hub, boss, count) {
  const [{ insertTask }, { rankOf }] = await Promise.all([load('store/tasks.js'), load('hub/task-order.js')]);
  const { taskId } = await hub.tasks.create(boss, { title: 'model' }, { tool: 'create_task' });
  const { task: model } = await hub.taskViews.get(boss, taskId);
  for (let from = 0; from < count; from += 1_000) {
    await hub.context.db.write(boss.projectId, async (tx) => {
      for (let n = from; n < Math.min(count, from + 1_000); n++) {
        const order = { priority: PRIORITIES[n % 4], createdAt: Date.now() - ((n * 7_919) % 604_800_000), deadlineAt: null };
        const rank = rankOf(order);
        await insertTask(tx, {
          ...model,
          ...order,
          id: `tsk_bench${String(n).padStart(8, '0')}`,
          seq: 1_000_000 + n,
          title: `task ${n}`,
          needs: NEEDS[n % NEEDS.length],
          ownRank: rank,
          rank,
        });
      }
    });
  }
}

async function plans(home) {
  const { claimableNeeds, firstOf } = await load('store/task-queue.js');
  const statements = [];
  const listen = async (sql, ...args) => {
    statements.push([sql, args]);
    return undefined;
  };
  const ear = { get: listen, all: async (...given) => (await listen(...given)) ?? [] };
  await claimableNeeds(ear, 'p', 10);
  await firstOf(ear, 'p', ['x'], 1);
  const db = new Database(join(home, 'hub.db'), { readonly: true });
  const lines = statements.flatMap(([sql, args]) => [
    sql.replace(/\s+/g, ' ').slice(0, 150),
    ...db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...args)
      .map(({ detail }) => `  ${detail}`),
  ]);
  db.close();
  return lines;
}
