// A crowd on a few tasks: eight processes make two hundred accepted changes each on twenty tasks, some are killed (-9) and some suspended past
// their leases meanwhile. Then the histories of the processes are held against those of the tasks: every accepted change is one version, no
// version is without its cause, old tokens changed nothing, and nobody was told of a busy database (M-01, I7, T-7).

import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { groupBy } from './evidence.mjs';
import { readHistories } from './history.mjs';
import { attachment, chance, LIMITS, openHub, PACKAGE, pause, scratch } from './hub.mjs';
import { judge } from './task-rules.mjs';

const WORKER = fileURLToPath(new URL('task-worker.mjs', import.meta.url));
const SHORT = {
  ...LIMITS,
  taskLeaseMs: 1_500,
  taskOrphanMs: 500,
  taskAttempts: 50,
  heldTasks: 100,
  backlogTasks: 100_000,
  inboxFull: 50_000,
};
const ROWS = { claim: 'claimed', progress: 'progressed', release: 'released', retry: 'retried' };
/** What may be refused, and how. */
const REFUSALS = ['conflict', 'stale_lease', 'forbidden', 'limit_reached', 'agent_busy', 'stale_session'];

/** Answers { checked, bad, note } for the line of `npm run prove`. `tamper` may damage the finished database (mutants.mjs). */
export async function proveTaskCrowd({ seed, processes = 8, count = 200, tasks = 20, killEveryMs = 1_500, root = PACKAGE, tamper }) {
  const { folder: home, done } = scratch();
  const folder = join(home, 'history');
  mkdirSync(folder, { mode: 0o700 });
  try {
    const ids = await hire(home, root, processes, tasks);
    const figures = await runWorkers({ home, folder, ids, seed, processes, count, killEveryMs, root });
    const ends = await finish(home, root, ids);
    const told = { ...figures, ...ends, ids };
    await tamper?.({ home, folder, figures: told });
    return await judgeTaskCrowd(home, folder, told);
  } finally {
    done();
  }
}

/** Holds a finished home against the histories of those who worked on it. */
export async function judgeTaskCrowd(home, folder, figures) {
  return judgeAll(await gatherTasks(home), readHistories(folder), figures);
}

async function hire(home, root, processes, count) {
  const hub = await openHub(home, { root, limits: SHORT });
  const owner = await hub.sessions.attach(attachment('owner', { role: 'manager' }));
  for (let n = 0; n < processes; n++) await hub.sessions.end(await hub.sessions.attach(attachment(`w${n}`, { role: 'manager' })), 'closed');
  const ids = [];
  for (let n = 0; n < count; n++) ids.push((await hub.tasks.create(owner, { title: `task ${n}` }, { tool: 'create_task' })).taskId);
  await hub.close();
  return ids;
}

async function runWorkers({ home, folder, ids, seed, processes, count, killEveryMs, root }) {
  const luck = chance(seed);
  const figures = { kills: 0, stops: 0, exits: [] };
  const running = new Map();
  const start = (n) =>
    new Promise((resolve) => {
      const plan = { home, folder, name: `w${n}`, tasks: ids, count, seed: seed + n, limits: SHORT };
      const child = fork(WORKER, [JSON.stringify(plan)], {
        env: { ...process.env, PROVE_PACKAGE: root },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      running.set(n, child);
      child.on('exit', (code, signal) => resolve({ code, signal }));
    });
  const whole = Array.from({ length: processes }, async (_, n) => {
    for (let starts = 0; starts < 100; starts++) {
      const { code, signal } = await start(n);
      running.delete(n);
      if (code === 0) return;
      if (signal !== 'SIGKILL') figures.exits.push(`w${n} ended with ${code ?? signal}`);
    }
    figures.exits.push(`w${n} never came to its end`);
  });
  const over = new AbortController();
  void Promise.all(whole).then(() => over.abort());
  while (!over.signal.aborted && killEveryMs > 0) {
    await Promise.race([pause(killEveryMs * (0.5 + luck.next())), Promise.all(whole)]);
    const child = luck.pick([...running.values()]);
    if (child === undefined || over.signal.aborted) continue;
    if (luck.next() < 0.6) {
      child.kill('SIGKILL');
      figures.kills += 1;
    } else {
      // Past its lease and the grace: what it says after this is late.
      child.kill('SIGSTOP');
      figures.stops += 1;
      await Promise.race([pause(4_500), Promise.all(whole)]);
      child.kill('SIGCONT');
    }
  }
  await Promise.all(whole);
  return figures;
}

/** Two workers at once complete every task: one of them does. */
async function finish(home, root, ids) {
  const hub = await openHub(home, { root, limits: { ...SHORT, taskLeaseMs: 600_000 } });
  const [one, two] = [
    await hub.sessions.attach(attachment('one', { role: 'manager' })),
    await hub.sessions.attach(attachment('two', { role: 'manager' })),
  ];
  let accepted = 0;
  for (const id of ids) {
    await hub.taskUpdates.update(one, id, { state: 'submitted' }, { tool: 'update_task' });
    await Promise.allSettled([one, two].map((who) => hub.claims.claim(who, id, { tool: 'claim_task' })));
    const { fencingToken } = (await hub.taskViews.get(one, id)).task;
    const ends = await Promise.allSettled(
      [one, two, one].map((who) => hub.taskCompletion.complete(who, id, { fencingToken, result: 'done' }, { tool: 'complete_task' })),
    );
    accepted += ends.filter(({ status }) => status === 'fulfilled').length;
  }
  await hub.close();
  return { completions: accepted };
}

async function gatherTasks(home) {
  const hub = await openHub(home, { limits: SHORT });
  const found = await hub.context.db.read(async (read) => ({
    tasks: await read.all('SELECT * FROM tasks'),
    rows: await read.all('SELECT h.*, a.name FROM task_history h LEFT JOIN agents a ON a.id = h.actor_id ORDER BY h.task_id, h.version'),
    events: await read.all("SELECT subject FROM events WHERE type LIKE 'task.%' AND type NOT IN ('task.late_result', 'task.backlog')"),
  }));
  const problems = (await hub.verify()).flatMap((project) => project.problems);
  await hub.close();
  return { ...found, problems };
}

function judgeAll({ tasks, rows, events, problems }, history, { kills, stops, exits, completions, ids }) {
  const bad = [...exits, ...problems];
  const ofTask = groupBy(rows, ({ task_id: id }) => id);
  const told = groupBy(events, ({ subject }) => subject);
  for (const task of tasks) {
    bad.push(...judge(task, ofTask.get(task.id) ?? []));
    if (task.state !== 'completed') bad.push(`${task.id} is ${task.state} at the end`);
    if ((told.get(task.id) ?? []).length !== Number(task.version))
      bad.push(`${task.id}: ${told.get(task.id)?.length} events, version ${task.version}`);
  }
  if (completions !== ids.length) bad.push(`${completions} completions were accepted for ${ids.length} tasks`);
  const done = (entry) => entry.phase === 'ok' && entry.result.again !== true;
  const changes = history.filter(({ op }) => ROWS[op] !== undefined);
  const accepted = groupBy(changes.filter(done), key);
  const answered = new Set(changes.filter(({ phase }) => phase !== 'invoke').map(({ client, id }) => `${client} ${id}`));
  const open = changes.filter(({ phase, client, id }) => phase === 'invoke' && !answered.has(`${client} ${id}`));
  const unknown = groupBy([...open, ...changes.filter(({ phase }) => phase === 'info')], key);
  const made = groupBy(
    rows.filter(({ name, act }) => name !== null && /^w\d+$/.test(name) && Object.values(ROWS).includes(act)),
    (row) => `${row.name} ${row.task_id} ${row.act}`,
  );
  for (const one of new Set([...accepted.keys(), ...made.keys()])) {
    const [sure, perhaps, there] = [accepted, unknown, made].map((map) => (map.get(one) ?? []).length);
    if (there < sure || there > sure + perhaps) bad.push(`${one}: ${sure} accepted, ${perhaps} unknown, ${there} in the history`);
  }
  for (const { phase, op, client, code, message, error } of changes) {
    if (phase === 'fail' && !REFUSALS.includes(code)) bad.push(`${client} ${op}: ${code} ${message}`);
    if (phase === 'info') bad.push(`${client} ${op}: ${error ?? `${code} ${message}`}`);
  }
  const stale = changes.filter(({ phase, code }) => phase === 'fail' && code === 'stale_lease').length;
  const lost = rows.filter(({ act }) => act === 'lease_lost').length;
  const versions = rows.length;
  return {
    checked: changes.filter(done).length,
    bad,
    note: `${versions} versions of ${tasks.length} tasks, ${kills} kills, ${stops} suspended, ${lost} leases lost, ${stale} stale words`,
  };
}

function key({ client, task, op }) {
  return `${client} ${task} ${ROWS[op]}`;
}
