// The rules of tasks (I7, M-01), broken on purpose: in the program, and in the database after a crowd has worked on it.

import { withPatched, withTampered } from './patched.mjs';
import { judgeTaskCrowd, proveTaskCrowd } from './task-crowd.mjs';
import { proveTasks } from './tasks.mjs';

/** name, file below build/, and pairs of what stands there and what is put in its place. */
const PATCHES = [
  ['a word under an old token counts', 'hub/holding.js', ['if (token < task.fencingToken)', 'if (false)']],
  [
    'a lease that is lost leaves its token as it was',
    'hub/leases.js',
    ['fencingToken: task.fencingToken + 1, attempt', 'fencingToken: task.fencingToken, attempt'],
  ],
  ['a parent is done before its children', 'hub/task-ends.js', ['if (task.openChildren > 0)', 'if (false)']],
  ['what blocks an urgent task waits behind others', 'hub/task-order.js', ['if (blocker.rank <= waiter.rank)', 'if (true)']],
  ['a claim gives the last of a queue', 'store/task-queue.js', ['ORDER BY rank, seq LIMIT', 'ORDER BY rank DESC, seq LIMIT']],
  ['a dependency that is settled frees nobody', 'store/task-graph.js', ['SET waiting_on = waiting_on - 1', 'SET waiting_on = waiting_on']],
  [
    'a change of a task leaves no row in its history',
    'hub/task-changes.js',
    ['await insertHistory(', "if (change.act !== 'progressed') await insertHistory("],
  ],
  ['a late result is applied', 'hub/task-completion.js', ['if (stale !== null) {', 'if (false) {']],
  [
    'what is held is given to a second',
    'hub/claims.js',
    ['if (isHeld(task))\n            return `', 'if (false)\n            return `'],
    ["if (task.state !== 'submitted')", 'if (isEnded_(task))'],
    [
      'export class Claims',
      "const isEnded_ = ({ state }) => !['submitted', 'working', 'input_required'].includes(state);\nexport class Claims",
    ],
  ],
  ['what is completed is done again', 'hub/task-states.js', ['completed: [],', "completed: ['submitted', 'completed'],"]],
  ['a lease has no end', 'hub/leases.js', ['now < task.leaseUntil + GRACE_MS', 'true']],
  [
    'time that only a jumping clock saw ends leases',
    'hub/leases.js',
    ['jumped.at <= this.#extendedFor)', 'true)'],
    ['jumped.at > this.#extendedFor', 'false'],
  ],
  ['attempts have no end', 'hub/leases.js', ['if (task.attempt >= taskAttempts)', 'if (false)']],
  ['a circle is accepted', 'hub/task-order.js', ['if (at === waiter)', 'if (false)']],
  [
    'a hand-off needs no acceptance',
    'hub/handoffs.js',
    ['const set = { handoffTo: to.id, handoffUntil };', 'const set = { holderId: to.id };'],
  ],
];

/** What is done to the database after a crowd. */
const TAMPERINGS = [
  [
    'a version vanishes',
    (db) =>
      db.exec(
        "DELETE FROM task_history WHERE (task_id, version) = (SELECT task_id, version FROM task_history WHERE act = 'progressed' LIMIT 1)",
      ),
  ],
  [
    'a version is counted that nobody made',
    (db) => db.exec('UPDATE tasks SET version = version + 1 WHERE id = (SELECT id FROM tasks LIMIT 1)'),
  ],
  [
    'another made a change',
    (db) =>
      db.exec(
        "UPDATE task_history SET actor_id = (SELECT id FROM agents WHERE id <> task_history.actor_id AND name LIKE 'w_' LIMIT 1) WHERE (task_id, version) = (SELECT task_id, version FROM task_history WHERE act = 'retried' LIMIT 1)",
      ),
  ],
  [
    'a token is given out twice',
    (db) =>
      db.exec(
        "UPDATE task_history SET fencing_token = fencing_token - 1 WHERE (task_id, version) = (SELECT task_id, version FROM task_history WHERE act = 'claimed' LIMIT 1 OFFSET 5)",
      ),
  ],
  [
    'a task is completed twice',
    (db) =>
      db.exec(
        "UPDATE task_history SET act = 'completed' WHERE (task_id, version) = (SELECT task_id, version FROM task_history WHERE act = 'released' LIMIT 1)",
      ),
  ],
  ['an event vanishes', (db) => db.exec("DELETE FROM events WHERE seq = (SELECT MIN(seq) FROM events WHERE type = 'task.claimed')")],
];

/** Yields the name of each mutant and the checks that turned red. */
export async function* taskMutants(seed) {
  for (const [name, file, ...edits] of PATCHES) yield [name, await withPatched(file, edits, (root) => tryPatched(root, seed))];
  const lines = [];
  await proveTaskCrowd({
    seed,
    processes: 4,
    count: 40,
    killEveryMs: 0,
    async tamper({ home, folder, figures }) {
      for (const [name, tampering] of TAMPERINGS) {
        const { bad } = await withTampered(home, tampering, (copy) => judgeTaskCrowd(copy, folder, figures));
        lines.push([name, bad.length > 0 ? ['crowd'] : []]);
      }
    },
  });
  yield* lines;
}

/** What random sequences do not find, a crowd of processes may. */
async function tryPatched(root, seed) {
  const red = [];
  await proveTasks({ runs: 80, seed, root, endOnFailure: true }).catch((error) => red.push(`tasks: ${first(error)}`));
  if (red.length > 0) return red;
  await proveTaskCrowd({ seed, processes: 4, count: 30, root }).then(
    ({ bad }) => bad.length > 0 && red.push(`crowd: ${bad[0]}`),
    (error) => red.push(`crowd: ${first(error)}`),
  );
  return red;
}

/** The sentence in a report of fast-check. */
function first(error) {
  const { message } = error.cause ?? error;
  return (message.split('\n').find((line) => /Error|:/.test(line)) ?? message).trim().slice(0, 120);
}
