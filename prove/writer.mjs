// One process that writes: node writer.mjs '{home, name, to, seconds, thinkMs}'. Every send reads the project, the agents and the inbox before
// it writes, in one transaction. Answers by IPC how many it made, how long each took, and what went wrong.

import { attachment, openHub, pause } from './hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const { home, name, to, seconds, thinkMs } = JSON.parse(process.argv[2]);
const hub = await openHub(home);
const caller = await hub.sessions.attach(attachment(name));
const times = [];
const errors = {};
process.send('ready');
await new Promise((resolve) => process.once('message', resolve));

const end = performance.now() + seconds * 1000;
for (let n = 0; performance.now() < end; n++) {
  const since = performance.now();
  try {
    await hub.messages.send(caller, { to, body: `${name} ${n}`, allowDuplicate: true }, { tool: 'send' });
    times.push(performance.now() - since);
  } catch (error) {
    const code = error.code ?? error.name;
    errors[code] = (errors[code] ?? 0) + 1;
  }
  if (thinkMs > 0) await pause(thinkMs * (0.5 + Math.random()));
}
await hub.close();
process.send({ name, times, errors }, () => process.exit(0));
