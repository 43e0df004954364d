// What time does to tasks, for their property: the duties of a scheduler, a clock that jumps, and the end of all work.

import assert from 'node:assert/strict';

export const WORKERS = [
  { name: 'ana', capabilities: ['red'] },
  { name: 'ben', capabilities: ['red', 'blue'] },
  { name: 'cal', capabilities: ['blue'] },
];
export const MINUTE = 60_000;
/** Refusals that a caller may meet; anything else is a defect. */
export const EXPECTED = ['conflict', 'forbidden', 'stale_lease', 'invalid_input', 'limit_reached', 'not_found'];

/** What a call answers; undefined where it was refused as it may be. */
export async function allowed(promise) {
  const outcome = await promise.catch((error) => error);
  if (!(outcome instanceof Error)) return outcome;
  assert.ok(EXPECTED.includes(outcome.code), `${outcome.code ?? outcome}: ${outcome.stack}`);
  return undefined;
}

export async function rowOf(hub, id) {
  const [row] = await hub.context.db.read((read) => read.all('SELECT * FROM tasks WHERE id = ?', id));
  // What the hub remembers of whom it told is no change of the task.
  const { announced_to, announced_at, announcement_id, ...rest } = row;
  return rest;
}

/** What a scheduler runs, twice at once, as two processes would. */
export async function duties(hub) {
  const all = [
    () => hub.leases.expireDue(),
    () => hub.taskDeadlines.passDue(),
    () => hub.handoffs.endOverdue(),
    () => hub.askEnds.expireDue(),
    () => hub.offers.offerReady(),
  ];
  await Promise.all(all.flatMap((run) => [run(), run()]));
}

/** A clock that jumps takes nobody's task: the time that it skipped has passed for nobody (C13). Looked at when silence counts again. */
export async function jump({ hub, clock }, ms) {
  await duties(hub);
  const { time, db } = hub.context;
  const safe = await db.read((read) =>
    read.all(
      'SELECT id, fencing_token FROM tasks WHERE lease_until > ? AND lease_limit_at > ?',
      time.now() + 6 * MINUTE,
      time.now() + 6 * MINUTE,
    ),
  );
  clock.jump(ms);
  time.now();
  clock.advance(3 * MINUTE);
  await duties(hub);
  for (const { id, fencing_token: token } of safe) {
    const lost = await db.read((read) =>
      read.all("SELECT version FROM task_history WHERE task_id = ? AND act = 'lease_lost' AND fencing_token > ?", id, token),
    );
    assert.deepEqual(lost, [], `a clock that jumped by ${ms} ms took ${id} from its holder`);
  }
}

/** After the duties nobody holds a task whose lease was over before, unless silence cannot be told from a clock that jumped. */
export async function nobodyOverdue(hub) {
  const { time } = hub.context;
  if (!time.trustsSilence()) return;
  const over = await hub.context.db.read((read) => read.all('SELECT id FROM tasks WHERE lease_until < ?', time.now() - 2 * MINUTE));
  assert.deepEqual(
    over.map(({ id }) => id),
    [],
    'its lease is over and it is still held',
  );
}

/** Everybody comes back and works: whatever can end, ends (I14). What is left waits for a decision, or for what does. */
export async function drain(real) {
  const { hub, clock, callers } = real;
  clock.advance(26 * 60 * MINUTE);
  await duties(hub);
  clock.advance(2 * MINUTE);
  await duties(hub);
  await real.attachAll();
  const boss = callers.get('boss');
  for (let round = 0; round < 200; round++) {
    await duties(real.hub);
    let worked = false;
    for (const { name } of WORKERS) {
      const by = callers.get(name);
      for (;;) {
        const { taskId } = await hub.claims.claim(by, undefined, { tool: 'claim_task' });
        if (taskId === null) break;
        worked = true;
        const { fencing_token: token, open_children: children } = await rowOf(hub, taskId);
        const done = await allowed(
          hub.taskCompletion.complete(by, taskId, { fencingToken: Number(token), result: 'r' }, { tool: 'complete_task' }),
        );
        if (done === undefined) {
          assert.ok(Number(children) > 0, `${taskId} could be claimed and not completed`);
          await hub.taskUpdates.update(by, taskId, { fencingToken: Number(token), state: 'submitted' }, { tool: 'update_task' });
          break;
        }
      }
    }
    const stuck = await hub.context.db.read((read) =>
      read.all("SELECT id, holder_id, assignee_id FROM tasks WHERE state IN ('working', 'input_required') OR (claimable = 1)"),
    );
    if (stuck.length === 0) return;
    // Held by somebody who does nothing, or meant for one who cannot be asked: their owner takes it back.
    for (const { id } of stuck) await allowed(hub.taskUpdates.update(boss, id, { state: 'submitted' }, { tool: 'update_task' }));
    assert.ok(worked || round < 100, `nothing moves any more: ${stuck.map(({ id }) => id).join(', ')}`);
  }
  assert.fail('the work never came to its end');
}
