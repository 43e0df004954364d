// One hub of bench/postgres.mjs, as a process: node postgres-hub.mjs '{home, hub, hubs, projects, senders}'. It runs its timed duties, as every
// server does, and sends from so many agents at once, or waits for one message.

import { dutiesOf } from '../build/scheduler/duties.js';
import { Scheduler } from '../build/scheduler/scheduler.js';
import { systemClock } from '../build/system/clock.js';
import { openLog } from '../build/system/log.js';
import { openHub, PROJECT } from '../prove/hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const { home, hub: number, projects, senders } = JSON.parse(process.argv[2]);
const hub = await openHub(home);
const BODY = 'x'.repeat(300);
const callers = [];
for (let n = 0; n < senders; n++) {
  const place = (n + number * senders) % projects;
  const project = { ...PROJECT, id: `bench-${place}`, name: `bench-${place}` };
  const name = `h${number}s${n}`;
  callers.push(
    await hub.sessions.attach({
      project,
      door: 'stdio',
      client: { name: 'bench', version: '1' },
      root: project.root,
      name,
      takeover: true,
    }),
  );
}
const scheduler = new Scheduler(hub, dutiesOf(hub), systemClock, openLog('silent'));
scheduler.keepAlive(() => callers.map(({ sessionId }) => sessionId));
scheduler.start();

process.on('message', async ({ seconds, receive, wake }) => {
  if (seconds !== undefined) process.send({ kind: 'answer', ...(await sendFor(seconds * 1000)) });
  if (wake !== undefined) await send(callers[0], 'h1s0', wake);
  if (receive) process.send({ kind: 'answer', ...(await receiveOne()) });
});
process.send({ kind: 'ready' });

async function sendFor(ms) {
  const times = [];
  let failed = 0;
  const since = performance.now();
  const end = since + ms;
  const sender = async (caller, n) => {
    for (let count = 0; performance.now() < end; count++) {
      const begun = performance.now();
      await send(caller, callers[n].name, count).catch(() => {
        failed += 1; // every connection was busy for too long: it is told, and is no send
      });
      times.push((performance.now() - begun) * 1000);
    }
  };
  await Promise.all(callers.map(sender));
  return { times, failed, ms: performance.now() - since };
}

/** To itself, which is there in its project for certain. */
function send(caller, to, n) {
  return hub.messages.send(caller, { to, body: `${n} ${BODY}`, allowDuplicate: true }, { tool: 'send' });
}

async function receiveOne() {
  const waiting = hub.inbox.receive(callers[0], { max: 1, maxBytes: 32_768, waitMs: 30_000, peek: false }, { tool: 'recv_batch' });
  while (hub.context.waiting.parked === 0) await new Promise((resolve) => setImmediate(resolve));
  process.send({ kind: 'parked' });
  const { receipt, messages } = await waiting;
  await hub.inbox.acknowledge(callers[0], { receipt, delayMs: 0 }, { tool: 'ack' });
  return { messages: messages.length };
}
