// The rules that hold for tasks at every instant, read from the database: what the history tells, and what the rows say beside it.

import assert from 'node:assert/strict';

const ENDED = ['completed', 'failed', 'canceled', 'rejected'];
/** Nothing follows these. */
const FINAL = ['completed', 'canceled'];
const HELD = ['working', 'input_required'];
/** What only a holder may do, under its token. */
const HOLDERS = ['progressed', 'asked', 'released', 'submitted_for_review', 'handoff_offered'];

const n = (value) => (value === null ? null : Number(value));

/** What the rows and the counters beside them say, after any step. */
export async function legal(hub) {
  const { taskAttempts } = hub.limits;
  const { tasks, edges, counts, takers } = await hub.context.db.read(async (read) => ({
    tasks: await read.all('SELECT * FROM tasks'),
    takers: await read.all(
      `SELECT id, (SELECT actor_id FROM task_history h WHERE h.task_id = t.id AND act IN ('claimed', 'handed_over') ORDER BY version DESC LIMIT 1) AS taker
       FROM tasks t WHERE holder_id IS NOT NULL`,
    ),
    edges: await read.all('SELECT * FROM task_dependencies'),
    counts: await read.all('SELECT * FROM task_counts'),
  }));
  const byId = new Map(tasks.map((task) => [task.id, task]));
  for (const { id, taker } of takers) assert.equal(byId.get(id)?.holder_id, taker, `${id} is held by one who never took it`);
  for (const task of tasks) {
    const unsettled = edges.filter(({ task_id: id, settled_at: at }) => id === task.id && at === null);
    const children = tasks.filter(({ parent_id: id }) => id === task.id);
    const open = children.filter(({ state }) => !ENDED.includes(state));
    assert.ok(n(task.attempt) <= taskAttempts, `${task.id} is at attempt ${task.attempt} of ${taskAttempts}`);
    assert.equal(n(task.waiting_on), unsettled.length, `${task.id}: waiting_on`);
    assert.equal(n(task.open_children), open.length, `${task.id}: open_children`);
    const free = task.state === 'submitted' && unsettled.length === 0 && open.length === 0 && task.handoff_to === null;
    // What has been let go at its time stays so, also when a clock is set back later.
    if (n(task.claimable) === 1) assert.ok(free, `${task.id} is claimable and should not be`);
    else assert.ok(!free || task.not_before !== null, `${task.id} could be begun and is not claimable`);
    assert.equal(task.lease_until !== null, HELD.includes(task.state), `${task.id}: lease`);
    if (HELD.includes(task.state))
      assert.ok(
        task.holder_id !== null && n(task.lease_until) <= n(task.lease_limit_at),
        `${task.id}: its lease has no holder or no limit`,
      );
    if (task.state === 'completed') assert.equal(open.length, 0, `${task.id} is completed before its children`);
    if (ENDED.includes(task.state)) assert.equal(task.announced_to, null, `${task.id} has ended and is still offered`);
    if (ENDED.includes(task.state)) continue;
    assert.ok(n(task.rank) <= n(task.own_rank), `${task.id} stands behind its own place`);
    // What it waits for stands at least as far forward as it does (priority inheritance).
    const awaited = [...unsettled.map(({ depends_on: id }) => byId.get(id)), ...open].filter(({ state }) => !ENDED.includes(state));
    for (const one of awaited) assert.ok(n(one.rank) <= n(task.rank), `${one.id} blocks ${task.id} and stands behind it`);
  }
  noCircle(tasks, edges);
  const openTasks = tasks.filter(({ state }) => !ENDED.includes(state)).length;
  assert.equal(
    counts.reduce((sum, { open }) => sum + n(open), 0),
    openTasks,
    'the count of open tasks',
  );
}

/** Nothing waits for itself, now or when what failed is tried again: for what it depends on, as a parent for its children, or both in turn. */
function noCircle(tasks, edges) {
  const waits = new Map(tasks.map(({ id }) => [id, []]));
  for (const { task_id: waiter, depends_on: awaited, settled_at: settledAt } of edges)
    if (settledAt === null) waits.get(waiter)?.push(awaited);
  for (const { id, parent_id: parent, state } of tasks)
    if (parent !== null && state !== 'completed' && state !== 'canceled') waits.get(parent)?.push(id);
  const done = new Set();
  const visit = (id, path) => {
    if (done.has(id)) return;
    assert.ok(!path.includes(id), `${[...path, id].join(' -> ')} waits for itself`);
    for (const next of waits.get(id) ?? []) visit(next, [...path, id]);
    done.add(id);
  };
  for (const { id } of tasks) visit(id, []);
}

/** What the histories tell, task by task (I7, M-01, M-24). */
export async function whole(hub, figures = {}) {
  const { tasks, history, results } = await hub.context.db.read(async (read) => ({
    tasks: await read.all('SELECT * FROM tasks'),
    history: await read.all('SELECT * FROM task_history ORDER BY task_id, version'),
    results: await read.all('SELECT * FROM task_results'),
  }));
  const bad = [];
  for (const task of tasks) {
    const rows = history.filter(({ task_id: id }) => id === task.id);
    bad.push(
      ...judge(task, rows),
      ...judgeResults(
        task,
        results.filter(({ task_id: id }) => id === task.id),
      ),
    );
    figures.versions = (figures.versions ?? 0) + rows.length;
    figures.lost = (figures.lost ?? 0) + rows.filter(({ act }) => act === 'lease_lost').length;
    figures.completed = (figures.completed ?? 0) + (task.state === 'completed' ? 1 : 0);
  }
  assert.deepEqual(bad, []);
}

/** One task beside its history, oldest row first; answers a sentence for each rule that is broken. */
export function judge(task, rows) {
  const bad = [];
  const say = (sentence) => bad.push(`${task.id}: ${sentence}`);
  if (n(task.version) !== rows.length) say(`version ${task.version}, ${rows.length} rows of history`);
  let state = null;
  let token = 0;
  let holder = null;
  let completed = 0;
  for (const [index, row] of rows.entries()) {
    const at = n(row.fencing_token);
    if (n(row.version) !== index + 1) say(`version ${row.version} in place ${index + 1}`);
    if (row.from_state !== state) say(`version ${row.version} goes from ${row.from_state}, which was ${state}`);
    if (at < token) say(`the token falls from ${token} to ${at} at version ${row.version}`);
    const took = row.act === 'claimed' || row.act === 'handed_over';
    if (took && at <= token) say(`claimed under token ${at}, which was given out before`);
    if (HOLDERS.includes(row.act) && row.actor_id !== holder) say(`${row.act} at version ${row.version} by one who does not hold it`);
    if (HOLDERS.includes(row.act) && row.act !== 'released' && at !== token)
      say(`${row.act} at version ${row.version} under token ${at} instead of ${token}`);
    if (row.act === 'lease_lost' && at !== token + 1) say(`its lease was lost and the token did not rise`);
    if (FINAL.includes(row.from_state)) say(`${row.act} at version ${row.version}, after it was ${row.from_state}`);
    if (took) holder = row.actor_id;
    else if (![...HELD, 'in_review'].includes(row.to_state)) holder = null;
    if (row.act === 'completed') completed += 1;
    state = row.to_state;
    token = at;
  }
  if (completed > 1) say(`completed ${completed} times`);
  if (state !== task.state) say(`is ${task.state}, its history says ${state}`);
  if (token !== n(task.fencing_token)) say(`has token ${task.fencing_token}, its history says ${token}`);
  if (holder !== task.holder_id) say('has another holder than its history says');
  return bad;
}

function judgeResults(task, results) {
  const counts = results.find((one) => n(one.n) === n(task.result_n));
  const bad = [];
  if (task.result_n !== null && counts === undefined) bad.push(`${task.id}: its result is missing`);
  if (counts !== undefined && n(counts.late) === 1) bad.push(`${task.id}: a late result counts`);
  return bad;
}
