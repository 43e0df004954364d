// One process of the crowd that works on a few tasks: node task-worker.mjs '{home, folder, name, tasks, count, seed}'. It claims, reports,
// gives back and takes back at random, under the tokens that it was given, old ones too, until `count` of its changes were accepted; it may be
// killed or stopped at any instant, and goes on by its history.

import { directDoor } from './doors.mjs';
import { History, readOwn } from './history.mjs';
import { chance, pause } from './hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const plan = JSON.parse(process.argv[2]);
const { home, folder, name, tasks, count } = plan;
const past = readOwn(folder, name);
const history = new History(folder, name);
const luck = chance(plan.seed + past.length);
/** The tokens that this worker was given, the newest last; most of them are no longer current. */
const tokens = new Map();
for (const { phase, op, task, result } of past) if (phase === 'ok' && op === 'claim') remember(task, result.token);
let accepted = past.filter(({ phase, result }) => phase === 'ok' && result.again !== true).length;

const door = await open();
process.send?.({ ready: true });
while (accepted < count) {
  const task = luck.pick(tasks);
  const known = tokens.get(task) ?? [];
  const token = luck.next() < 0.85 ? known.at(-1) : luck.pick(known.length === 0 ? [undefined] : known);
  const roll = luck.next();
  if (token === undefined || roll < 0.25) await change('claim', task, undefined, 'claim_task', { task_id: task });
  else if (roll < 0.75)
    await change('progress', task, token, 'update_task', { task_id: task, fencing_token: token, progress: luck.below(100) });
  else if (roll < 0.93) await change('release', task, token, 'update_task', { task_id: task, fencing_token: token, state: 'submitted' });
  else await change('retry', task, undefined, 'update_task', { task_id: task, state: 'submitted' });
}
history.write({ op: 'done', phase: 'info' });
await door.close();
history.close();
process.send?.({ accepted }, () => process.exit(0));

async function change(op, task, token, tool, args) {
  const answer = await history.record(op, { task, token }, () => door.call(tool, args));
  if (answer === undefined) process.exit(9);
  if (!answer.ok) return;
  if (op === 'claim') remember(task, answer.result.fencing_token);
  if (answer.result.note?.startsWith('you hold it already') !== true) accepted += 1;
}

function remember(task, token) {
  tokens.set(task, [...(tokens.get(task) ?? []).filter((one) => one !== token), token].slice(-5));
}

/** A name may be held for a moment by the session of the process that was killed just now. */
async function open() {
  for (let attempt = 0; ; attempt++) {
    try {
      const opened = await directDoor(home, name, { toolsets: ['core', 'work'], role: 'manager', limits: plan.limits, duties: true });
      const answer = await opened.call('whoami', {});
      if (answer.ok) return opened;
      await opened.close();
      if (attempt > 100) throw new Error(answer.error.message);
    } catch (error) {
      if (attempt > 100) throw error;
    }
    await pause(50);
  }
}
