// Tasks as a property: random graphs, claims, words under current and old tokens, hand-offs, cancellations, sessions that end, clocks that
// advance and jump, restarts. After every step the database is held against the rules: one live token per task, stale words change nothing,
// versions without gaps, counters that are true, an order in which nothing starves, and one completion at most (C6, I7).

import assert from 'node:assert/strict';
import { allowed, drain, duties, EXPECTED, jump, nobodyOverdue, rowOf, WORKERS } from './task-hours.mjs';
import { legal, whole } from './task-rules.mjs';
import { steps } from './task-steps.mjs';

/** `world` gives a fresh place: { clock, open(): hub, attach(hub, name, role): caller, done() }. Answers how much was done. */
export async function checkTasks(fc, world, { runs, seed, maxSteps = 60, endOnFailure = false }) {
  const figures = { sequences: 0, tasks: 0, versions: 0, stale: 0, lost: 0, completed: 0 };
  const property = fc.asyncProperty(steps(fc, maxSteps), async (sequence) => {
    const { clock, open, attach, done } = await world();
    const real = { clock, hub: await open(), tasks: [], figures, callers: new Map() };
    real.attach = async (name) => {
      const role = name === 'boss' ? 'manager' : undefined;
      const caller = await attach(real.hub, name, role);
      real.callers.set(name, caller);
      const { capabilities } = WORKERS.find((one) => one.name === name) ?? {};
      const attachment = {
        project: { id: caller.projectId, name: 'x', root: '/' },
        door: 'stdio',
        client: { name: 't', version: '1' },
        root: '/',
      };
      if (capabilities !== undefined) await real.hub.joining.join(caller, attachment, { capabilities }, { tool: 'join' });
    };
    real.attachAll = async () => {
      for (const name of ['boss', ...WORKERS.map((one) => one.name)]) await real.attach(name);
    };
    real.restart = async () => {
      await real.hub.close();
      real.hub = await open();
      await real.attachAll();
    };
    /** The process is gone without a word: what it had not written down is lost, and its sessions stay open. */
    const dead = [];
    real.kill = async () => {
      dead.push(real.hub);
      real.hub = await open();
      await real.attachAll();
    };
    try {
      await real.attachAll();
      for (const one of sequence) {
        await act(real, one);
        await legal(real.hub);
      }
      await drain(real);
      await legal(real.hub);
      await whole(real.hub, figures);
      for (const { problems } of await real.hub.verify()) assert.deepEqual(problems, []);
    } finally {
      figures.sequences += 1;
      for (const hub of [real.hub, ...dead]) await hub.close();
      await done();
    }
  });
  await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }), endOnFailure });
  return figures;
}

async function act(real, one) {
  const { hub, clock, callers, tasks } = real;
  const id = tasks[one.task % Math.max(1, tasks.length)];
  const by = one.by === 'holder' ? await holderOf(real, id) : callers.get(one.by);
  if (['report', 'complete', 'decide', 'reprioritise', 'decline', 'cancel', 'handoff', 'answer'].includes(one.op) && id === undefined)
    return;
  switch (one.op) {
    case 'create':
      return await create(real, by, one);
    case 'claim':
      return await claim(real, by, one.task === null ? undefined : id);
    case 'report': {
      const fencingToken = await tokenOf(real, id, one.token);
      const update = { fencingToken, state: one.state ?? undefined, seq: one.seq ?? undefined, note: 'n' };
      return await word(real, by, id, fencingToken, () => hub.taskUpdates.update(by, id, update, { tool: 'update_task' }));
    }
    case 'complete': {
      const fencingToken = (await tokenOf(real, id, one.token)) ?? 0;
      return await word(real, by, id, fencingToken, () =>
        hub.taskCompletion.complete(by, id, { fencingToken, result: 'r' }, { tool: 'complete_task' }),
      );
    }
    case 'decide':
      return await allowed(hub.taskUpdates.update(by, id, { state: one.state }, { tool: 'update_task' }));
    case 'reprioritise':
      return await allowed(hub.taskUpdates.update(by, id, { priority: one.priority }, { tool: 'update_task' }));
    case 'decline':
      return await allowed(hub.taskUpdates.update(by, id, { state: 'rejected', note: 'n' }, { tool: 'update_task' }));
    case 'cancel':
      return await allowed(hub.taskDecisions.cancel(by, id, undefined, { tool: 'cancel_task' }));
    case 'handoff': {
      const fencingToken = await tokenOf(real, id, one.token);
      const offer = () => hub.handoffs.offer(by, id, { to: one.to, fencingToken }, { tool: 'handoff_task' });
      return fencingToken === undefined ? await allowed(offer()) : await word(real, by, id, fencingToken, offer);
    }
    case 'divide':
      return await divide(real, one);
    case 'again': {
      const over = await idsOf(hub, "state IN ('completed', 'canceled')");
      const decided = over[one.task % Math.max(1, over.length)];
      if (decided === undefined) return;
      const boss = callers.get('boss');
      await allowed(hub.taskUpdates.update(boss, decided, { state: one.state }, { tool: 'update_task' }));
      return await allowed(hub.claims.claim(callers.get('ana'), decided, { tool: 'claim_task' }));
    }
    case 'answer': {
      const row = await rowOf(hub, id);
      const creator = [...callers.values()].find(({ agentId }) => agentId === row.creator_id);
      if (row.ask_id !== null) await allowed(hub.asks.answer(creator, row.ask_id, { answer: ['yes'] }, { tool: 'answer' }));
      return;
    }
    case 'heard':
      hub.leases.heardOf(by.agentId);
      return await hub.leases.flush();
    case 'end':
      await hub.sessions.end(by, 'closed');
      return await real.attach(one.by);
    case 'advance':
      return clock.advance(one.ms);
    case 'jump':
      return await jump(real, one.ms);
    case 'duties':
      await duties(hub);
      return await nobodyOverdue(hub);
    case 'restart':
      return await real.restart();
    case 'kill':
      return await real.kill();
  }
}

/** The holder of a task gives a part of it away, and hands in a result before that part is done. */
async function divide(real, { task, by }) {
  const { hub, tasks } = real;
  const held = await idsOf(hub, "state = 'working'");
  const id = held[task % Math.max(1, held.length)];
  if (id === undefined) return;
  const holder = await holderOf(real, id);
  await create(real, holder, { after: [], parent: tasks.indexOf(id), needs: [], priority: 'normal', assignee: by, wait: null, due: null });
  const fencingToken = await tokenOf(real, id, 'current');
  await word(real, holder, id, fencingToken, () =>
    hub.taskCompletion.complete(holder, id, { fencingToken, result: 'r' }, { tool: 'complete_task' }),
  );
}

async function idsOf(hub, condition) {
  return (await hub.context.db.read((read) => read.all(`SELECT id FROM tasks WHERE ${condition} ORDER BY id`))).map(({ id }) => id);
}

/** Who holds a task; anybody when nobody does. */
async function holderOf({ hub, callers }, id) {
  const holder = id === undefined ? undefined : (await rowOf(hub, id)).holder_id;
  return [...callers.values()].find(({ agentId }) => agentId === holder) ?? callers.get('ana');
}

async function create(real, by, one) {
  const { hub, tasks } = real;
  const at = (n) => tasks[n % Math.max(1, tasks.length)];
  const after =
    tasks.length === 0 ? [] : [...new Map(one.after.map(([n, policy]) => [at(n), policy]))].map(([id, policy]) => `${id}:${policy}`);
  const order = {
    title: 't',
    dependsOn: after,
    parentId: one.parent === null ? undefined : at(one.parent),
    capabilities: one.needs,
    priority: one.priority,
    assignee: one.assignee ?? undefined,
    notBeforeMs: one.wait ?? undefined,
    deadlineMs: one.due?.[0],
    overdue: one.due?.[1],
  };
  const made = await allowed(hub.tasks.create(by, order, { tool: 'create_task' }));
  if (made !== undefined) tasks.push(made.taskId);
}

/** A claim of the best gives the first that the caller can serve, and nothing only when there is nothing (no ready task starves). */
async function claim(real, by, id) {
  const { hub, figures } = real;
  await hub.context.db.write('', async (tx) => (await tx.all('SELECT 1')).length); // the claim itself wakes what is due; look after that
  const before = id === undefined ? undefined : await rowOf(hub, id);
  const outcome = await allowed(hub.claims.claim(by, id, { tool: 'claim_task' }));
  if (outcome === undefined || outcome.again) return;
  if (before !== undefined) {
    const isFree = before.lease_until === null || before.handoff_to === by.agentId || Number(before.lease_until) < hub.context.time.now();
    assert.ok(isFree, `${by.name} took ${id} from its holder`);
    return;
  }
  const mine = WORKERS.find(({ name }) => name === by.name)?.capabilities ?? [];
  const fits = (needs) => needs.split(' ').every((need) => need === '' || mine.includes(need));
  const rows = await hub.context.db.read((read) => read.all('SELECT * FROM tasks'));
  const left = rows.filter((row) => row.claimable === 1n || Number(row.claimable) === 1);
  const open = left.filter((row) => (row.assignee_id === null ? fits(row.needs) : row.assignee_id === by.agentId));
  if (outcome.taskId === null) {
    const held = rows.filter((row) => row.holder_id === by.agentId && row.lease_until !== null).length;
    if (held < hub.limits.heldTasks)
      assert.deepEqual(
        open.map((row) => row.id),
        [],
        `${by.name} was given nothing although it could begin something`,
      );
    return;
  }
  const taken = rows.find((row) => row.id === outcome.taskId);
  figures.tasks += 1;
  if (Number(taken.version) > 0 && (await lastAct(hub, taken.id)) === 'handed_over') return;
  for (const row of open) assert.ok(Number(taken.rank) <= Number(row.rank), `${taken.id} was given before ${row.id}, which is ahead of it`);
}

/** A word under a token: it counts exactly if its speaker holds the task under that token; otherwise the task is afterwards what it was before. */
async function word(real, by, id, token, say) {
  const { hub, figures } = real;
  const before = await rowOf(hub, id);
  const holds = before.holder_id === by.agentId && Number(before.fencing_token) === token;
  const outcome = await say().catch((error) => error);
  if (!(outcome instanceof Error)) {
    assert.ok(holds || token === undefined, `${by.name} wrote to ${id} under token ${token}; it is held under ${before.fencing_token}`);
    return;
  }
  assert.ok(EXPECTED.includes(outcome.code), `${outcome.code ?? outcome}: ${outcome.stack}`);
  assert.deepEqual(await rowOf(hub, id), before, `a refused word (${outcome.code}) changed ${id}`);
  if (token !== undefined && token < Number(before.fencing_token)) {
    assert.equal(outcome.code, 'stale_lease');
    figures.stale += 1;
  }
}

async function tokenOf({ hub }, id, which) {
  const current = Number((await rowOf(hub, id)).fencing_token);
  if (which === 'none') return undefined;
  return which === 'current' ? current : which === 'old' ? Math.max(0, current - 1) : current + 1;
}

async function lastAct(hub, id) {
  const [row] = await hub.context.db.read((read) =>
    read.all('SELECT act FROM task_history WHERE task_id = ? ORDER BY version DESC LIMIT 1', id),
  );
  return row.act;
}
