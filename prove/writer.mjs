// One process that writes: node writer.mjs '{home, name, to, seconds, thinkMs, jobs}'. Every send reads the project, the agents and the inbox
// before it writes, in one transaction; with `jobs`, it holds so many tasks and reports progress on them in turn instead. Answers by IPC how many
// it made, how long each took, and what went wrong.

import { attachment, LIMITS, openHub, pause } from './hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const { home, name, to, seconds, thinkMs, jobs } = JSON.parse(process.argv[2]);
const hub = await openHub(home, jobs === undefined ? {} : { limits: { ...LIMITS, heldTasks: jobs } });
const caller = await hub.sessions.attach(attachment(name, jobs === undefined ? {} : { role: 'manager' }));
const write = jobs === undefined ? send : await reports();
const times = [];
const errors = {};
process.send('ready');
await new Promise((resolve) => process.once('message', resolve));

const end = performance.now() + seconds * 1000;
for (let n = 0; performance.now() < end; n++) {
  const since = performance.now();
  try {
    await write(n);
    times.push(performance.now() - since);
  } catch (error) {
    const code = error.code ?? error.name;
    errors[code] = (errors[code] ?? 0) + 1;
  }
  if (thinkMs > 0) await pause(thinkMs * (0.5 + Math.random()));
}
await hub.close();
process.send({ name, times, errors }, () => process.exit(0));

async function send(n) {
  await hub.messages.send(caller, { to, body: `${name} ${n}`, allowDuplicate: true }, { tool: 'send' });
}

async function reports() {
  const held = [];
  for (let n = 0; n < jobs; n++) {
    const { taskId } = await hub.tasks.create(caller, { title: `job ${n} of ${name}` }, { tool: 'create_task' });
    const { fencingToken } = await hub.claims.claim(caller, taskId, { tool: 'claim_task' });
    held.push({ taskId, fencingToken });
  }
  return async (n) => {
    const { taskId, fencingToken } = held[n % jobs];
    await hub.taskUpdates.update(caller, taskId, { fencingToken, progress: n % 100 }, { tool: 'update_task' });
  };
}
