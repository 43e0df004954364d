// The two schemas say the same, and every statement of everyday work goes through an index (S-17).

import { PGlite } from '@electric-sql/pglite';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { dutiesOf } from '../../src/scheduler/duties.ts';
import type { Arg, Db } from '../../src/store/db.ts';
import { migrationsOf } from '../../src/store/migrate.ts';
import { ack, operatorOf, recv, send } from '../support/acts.ts';
import { attach, cleanup, type Engine, sqlite, type TestHub, testHub } from '../support/engines.ts';

/** An engine that remembers the text of every statement. */
function remembering(texts: Set<string>): Engine {
  return {
    name: 'sqlite',
    async open(clock, place) {
      const db = await sqlite.open(clock, place);
      const note = <T extends object>(inner: T): T =>
        new Proxy(inner, {
          get:
            (target, key) =>
            (sql: string, ...args: Arg[]) => {
              texts.add(sql);
              const method = Reflect.get(target, key) as (sql: string, ...args: Arg[]) => unknown;
              return method.call(target, sql, ...args);
            },
        });
      const remembered: Pick<Db, 'read' | 'write'> = {
        read: (look) => db.read((read) => look(note(read))),
        write: (scope, change, durability) => db.write(scope, (tx) => change(note(tx)), durability),
      };
      return new Proxy(db, {
        get(target, key) {
          if (key === 'read' || key === 'write') return remembered[key];
          const value: unknown = Reflect.get(target, key);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}

/** A working day: everything that agents and duties do again and again. */
async function workingDay(hub: TestHub): Promise<void> {
  const [alice, bob] = [await attach(hub, 'alice'), await attach(hub, 'bob', { client: { name: 't', version: '1', key: 'k' } })];
  const first = await send(hub, alice, 'bob', 'one', { key: 'k1', kind: 'request' });
  await send(hub, alice, 'any:agent', 'two');
  await send(hub, alice, '*', 'three');
  const batch = await recv(hub, bob, { from: 'alice', max: 2 });
  await send(hub, bob, 'alice', 'reply', { inReplyTo: first.message_id });
  await ack(hub, bob, { receipt: batch.receipt ?? '', except: [first.message_id] });
  await recv(hub, bob, { peek: true });
  await ack(hub, bob, { nackIds: [(await recv(hub, bob)).messages[0]?.id ?? ''] });
  await hub.status.of(alice, first.message_id);
  await hub.messages.thread(bob, { messageId: first.message_id, limit: 5 });
  await hub.messages.read(bob, first.message_id);
  await hub.agents.list(alice, { waitMs: 0, waitFor: ['bob'], capability: 'x' });
  await hub.heartbeats.beat([alice.sessionId]);
  await hub.usage.report(alice, 61, { tool: 'report_usage' });
  await hub.checkpoints.observe(alice, { filesModified: ['a.ts'], gitState: null, trigger: 'x' });
  await hub.checkpoints.save(alice, { currentTask: 'x' }, { tool: 'save_checkpoint' });
  await hub.checkpoints.load(alice);
  const operator = await operatorOf(hub);
  const { token } = await hub.tokens.create(operator, { agent: 'carol' });
  await hub.tokens.authenticate(token);
  await hub.feed.about(operator, first.message_id);
  await hub.overview.deliveries(operator);
  await hub.overview.stuck(operator, 20);
  await hub.overview.inspect(operator, 'bob');
  await hub.overview.owed(operator, 20);
  await hub.overview.wakes(operator);
  hub.calls.record({
    projectId: 'demo-1',
    agentId: alice.agentId,
    sessionId: alice.sessionId,
    tool: 't',
    door: 'stdio',
    startedAt: 1,
    durationMs: 1,
    code: 'ok',
    inputBytes: 1,
    outputBytes: 1,
  });
  await workOnTasks(hub, alice, bob);
  for (let i = 0; i < 8; i++) await recv(hub, bob);
  await hub.reminders.remind(bob, { message: 'r', inMs: 1_000 }, { tool: 'remind' });
  hub.fake.advance(8 * 86_400_000);
  for (const duty of dutiesOf(hub)) await duty.run();
  await hub.sessions.end(alice, 'closed');
}

/** Tasks through every statement that their everyday life needs. */
async function workOnTasks(hub: TestHub, alice: Caller, bob: Caller): Promise<void> {
  const create = async (more = {}) => (await hub.tasks.create(alice, { title: 't', ...more }, { tool: 'create_task' })).taskId;
  const reviewed = await create({ reviewers: ['bob'] });
  await hub.claims.claim(alice, reviewed, { tool: 'claim_task' });
  await hub.taskCompletion.complete(alice, reviewed, { fencingToken: 1, result: 'r' }, { tool: 'complete_task' });
  await hub.openThreads.list(bob, 'mine');
  await hub.reviews.submit(bob, { taskId: reviewed, revision: 1, verdict: 'PASS', findings: [] }, { tool: 'submit_review' });
  const [first, parent] = [await create({ cacheKey: 'k', labels: ['l'], deadlineMs: 1_000 }), await create()];
  await create({ dependsOn: [first], parentId: parent, capabilities: ['x'], notBeforeMs: 1_000 });
  const { taskId } = await hub.claims.claim(bob, undefined, { tool: 'claim_task' });
  hub.leases.heardOf(bob.agentId);
  await hub.taskUpdates.update(bob, first, { fencingToken: 1, progress: 10 }, { tool: 'update_task' });
  await hub.handoffs.offer(bob, first, { to: 'alice', fencingToken: 1 }, { tool: 'handoff_task' });
  await hub.taskCompletion.complete(bob, taskId ?? '', { fencingToken: 1, result: 'r' }, { tool: 'complete_task' });
  await create({ cacheKey: 'k', capabilities: ['y'] });
  await hub.claims.claim(bob, undefined, { tool: 'claim_task' });
  for (const query of [
    { state: 'working' as const },
    { agent: 'bob' },
    { mine: true },
    { parentId: parent },
    { label: 'l' },
    { beforeSeq: 99 },
  ])
    await hub.taskViews.list(alice, { ...query, limit: 5 });
  await hub.taskViews.get(alice, first);
  await hub.taskDecisions.cancel(alice, parent, 'enough', { tool: 'cancel_task' });
}

it('reads no table from end to end in everyday work', async () => {
  const texts = new Set<string>();
  const hub = await testHub(remembering(texts));
  await workingDay(hub);
  expect(texts.size).toBeGreaterThan(50);
  const raw = new Database(`${hub.place}/hub.db`, { readonly: true });
  cleanup(() => {
    raw.close();
  });
  const scans: string[] = [];
  for (const sql of texts) {
    const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from({ length: (sql.match(/\?/g) ?? []).length }, () => null)) as {
      detail: string;
    }[];
    for (const { detail } of plan) {
      // Partial indexes hold only what is open: walking one is walking what is due.
      const isPartial =
        /USING (COVERING )?INDEX (deliveries_|sessions_live|wake_attempts_outstanding|wake_doors_registered|reservations_due|tasks_untold)/.test(
          detail,
        );
      // `queues` and `counted` are what a statement has found so far.
      // `projects` and `sweeps` hold a row per project.
      // Rows that a statement brings with it are not in any table.
      if (/^SCAN (?!\(|CONSTANT|\d+-ROW VALUES|queues|counted|projects$|sweeps$)/.test(detail) && !isPartial)
        scans.push(`${detail}: ${sql.replace(/\s+/g, ' ').slice(0, 120)}`);
    }
  }
  expect(scans).toEqual([]);
});

it('uses the index made for it where the inbox is read, and where what is due is found', async () => {
  const hub = await testHub(sqlite);
  const raw = new Database(`${hub.place}/hub.db`, { readonly: true });
  cleanup(() => {
    raw.close();
  });
  const texts = new Set<string>();
  await workingDay(await testHub(remembering(texts)));
  const planOf = (part: RegExp) => {
    const sql = [...texts].find((text) => part.test(text)) ?? '';
    const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from({ length: (sql.match(/\?/g) ?? []).length }, () => null)) as {
      detail: string;
    }[];
    return plan.map(({ detail }) => detail).join('\n');
  };
  expect(planOf(/m_body[\s\S]*d\.state = 'ready'/)).toContain('deliveries_ready (recipient_id=?)');
  expect(planOf(/m_body[\s\S]*d\.state = 'leased' AND d\.ready_at/)).toContain('deliveries_leased (recipient_id=?)');
  expect(planOf(/m_body[\s\S]*d\.state = 'ready'/)).not.toContain('TEMP B-TREE');
  expect(planOf(/FROM deliveries WHERE receipt = /)).toContain('deliveries_receipt');
  expect(planOf(/deliveries[\s\S]*expires_at <= /)).toContain('deliveries_expiring');
  expect(planOf(/FROM reminders WHERE state = 'pending' AND attempt_at <= \? AND/)).toContain('reminders_due (attempt_at<?)');
  expect(planOf(/MAX\(l\.epoch\)/)).toContain('(agent_id=? AND epoch=?)');
  expect(planOf(/digest = \?/)).toContain('messages_by_sender (sender_id=? AND created_at>?)');
});

it('claims the first of a queue by one step in its index, and finds the queues by one step each', async () => {
  const texts = new Set<string>();
  const hub = await testHub(remembering(texts));
  await workingDay(hub);
  const raw = new Database(`${hub.place}/hub.db`, { readonly: true });
  cleanup(() => {
    raw.close();
  });
  const plan = (part: string) => {
    const sql = [...texts].find((text) => text.includes(part)) ?? '';
    const rows = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from({ length: (sql.match(/\?/g) ?? []).length }, () => null));
    return (rows as { detail: string }[]).map(({ detail }) => detail).join('\n');
  };
  expect(plan('needs = ? AND claimable = 1 AND assignee_id IS NULL ORDER BY rank')).toBe(
    'SEARCH tasks USING INDEX tasks_claimable (project_id=? AND needs=?)',
  );
  expect(plan('MIN(needs) FROM tasks WHERE project_id = ? AND claimable').match(/SEARCH .*/g)).toEqual([
    'SEARCH tasks USING INDEX tasks_claimable (project_id=?)',
    'SEARCH t USING INDEX tasks_claimable (project_id=? AND needs>?)',
  ]);
});

it('has the same tables, columns and obligations on both engines', async () => {
  const raw = new Database(':memory:');
  for (const { sql } of migrationsOf('sqlite')) raw.exec(sql);
  const onSqlite = raw
    .prepare(
      `SELECT m.name || '.' || c.name || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' required' ELSE '' END AS line
       FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1`,
    )
    .pluck()
    .all() as string[];
  const indexes = raw.prepare(`SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1`).pluck().all();
  raw.close();
  const pg = await PGlite.create();
  cleanup(() => pg.close());
  for (const { sql } of migrationsOf('postgres')) await pg.exec(sql);
  const { rows } = await pg.query<{ line: string }>(
    `SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN ' required' ELSE '' END AS line
     FROM information_schema.columns WHERE table_schema = 'public'`,
  );
  expect(rows.map(({ line }) => line).sort()).toEqual([...onSqlite].sort());
  const made = await pg.query<{ name: string }>(
    `SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'`,
  );
  expect(made.rows.map(({ name }) => name).sort()).toEqual([...indexes].sort());
  expect(migrationsOf('postgres').map(({ version, name }) => [version, name])).toEqual(
    migrationsOf('sqlite').map(({ version, name }) => [version, name]),
  );
});

it('numbers the migrations one after the other', () => {
  for (const engine of ['sqlite', 'postgres'] as const)
    expect(migrationsOf(engine).map(({ version }) => version)).toEqual(migrationsOf(engine).map((_migration, index) => index + 1));
});
