// The hub as a library: the same services that every front door calls, without a protocol.

import { attachment, openHub } from '../prove/hub.mjs';
import { rateSummary, summary, timed } from './figures.mjs';

const BODY = 'x'.repeat(300);
const receiveAll = { max: 32, maxBytes: 32_768, waitMs: 0, peek: false };

export async function benchLibrary(home, table, { runs }) {
  const hub = await openHub(home);
  const callers = [];
  for (let n = 0; n < 33; n++) callers.push(await hub.sessions.attach(attachment(`agent-${n}`)));
  const [sender, ...others] = callers;
  const send = (n, from = sender, to = others[n % 32]) =>
    hub.messages.send(from, { to: to.name, body: `${n} ${BODY}`, allowDuplicate: true }, { tool: 'send' });

  table.add('library send', summary(await timed(runs, (n) => send(n))), { floor: 'raw rows of a send' });
  table.add('library send, with key', summary(await timed(runs, (n) => keyed(hub, sender, others[n % 32], n))), { floor: 'library send' });
  await drain(hub, others);
  table.add('library empty receive', summary(await timed(runs, () => hub.inbox.receive(others[0], receiveAll, { tool: 'recv_batch' }))));
  let receipt;
  const cycle = async (n) => {
    await send(n, sender, others[0]);
    const batch = await hub.inbox.receive(others[0], { ...receiveAll, ack: receipt }, { tool: 'recv_batch' });
    receipt = batch.receipt ?? undefined;
  };
  table.add('library send + receive(ack)', summary(await timed(runs, cycle)), { floor: 'fdatasync', note: 'a full round' });
  await together(hub, callers, table, runs);
  await wakes(hub, others, table, Math.min(runs, 150));
  await hub.close();
}

/** Several senders at once share commits: the rate, against the same rows written raw, 32 sends a commit. */
async function together(hub, callers, table, runs) {
  for (const inFlight of [8, 32, 128]) {
    const rounds = Math.max(5, Math.round(runs / 2 / inFlight));
    const rates = [];
    for (let round = 0; round < rounds; round++) {
      const since = performance.now();
      await Promise.all(
        Array.from({ length: inFlight }, (_, n) =>
          hub.messages.send(
            callers[1 + (n % 32)],
            { to: 'agent-0', body: `${round} ${n} ${BODY}`, allowDuplicate: true },
            { tool: 'send' },
          ),
        ),
      );
      rates.push((inFlight * 1_000) / (performance.now() - since));
    }
    const rate = rateSummary(rates);
    const sync = table.rows.find(({ name }) => name === 'fdatasync');
    const note = `higher is better; ${((rate.p50 * sync.p50) / 1_000_000).toFixed(2)} x the rate of fdatasync`;
    table.add(`${inFlight} sends in flight`, rate, { unit: '/s', floor: 'raw rows of 32 sends a commit', note });
  }
}

/** From the call of send to the return of a receive that waits, in one process. */
async function wakes(hub, [reader, writer], table, runs) {
  await drain(hub, [reader]);
  let receipt;
  const times = [];
  for (let n = 0; n < runs; n++) {
    const waiting = hub.inbox.receive(reader, { ...receiveAll, waitMs: 10_000, ack: receipt }, { tool: 'recv_batch' });
    while (hub.context.waiting.parked === 0) await new Promise((resolve) => setImmediate(resolve));
    const since = performance.now();
    await hub.messages.send(writer, { to: reader.name, body: `wake ${n}`, allowDuplicate: true }, { tool: 'send' });
    receipt = (await waiting).receipt;
    times.push((performance.now() - since) * 1000);
  }
  table.add('wake, one process', summary(times.sort((a, b) => a - b)), { floor: 'library send', note: 'send called -> receive returned' });
}

function keyed(hub, from, to, n) {
  const draft = { to: to.name, body: `${n} ${BODY}` };
  return hub.messages.send(from, draft, { tool: 'send', key: `bench-${n}`, args: draft });
}

async function drain(hub, callers) {
  for (const caller of callers) {
    for (let receipt; ; ) {
      const batch = await hub.inbox.receive(caller, { ...receiveAll, ack: receipt }, { tool: 'recv_batch' });
      if (batch.receipt === null) break;
      receipt = batch.receipt;
    }
  }
}
