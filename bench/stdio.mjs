// Through MCP on standard input and output: what a client's model waits for. The floor is a tool that does nothing on the same SDK.

import { fileURLToPath } from 'node:url';
import { pause } from '../prove/hub.mjs';
import { startProgram, startServer } from '../prove/stdio-raw.mjs';
import { summary, timed } from './figures.mjs';

const NOOP = fileURLToPath(new URL('noop-server.mjs', import.meta.url));
const BODY = 'x'.repeat(300);
const PACE_MS = 5;

export async function benchStdio(home, table, { runs }) {
  const noop = startProgram([NOOP], home);
  await noop.initialize();
  table.add('stdio no-op', summary(await timed(runs, () => noop.call('noop'))));
  table.add('stdio no-op, paced', summary(await paced(runs / 10, () => noop.call('noop'))), {
    note: `one every ${PACE_MS} ms, as a wake-up comes`,
  });
  table.add('stdio no-op, 16 in flight', await inFlight(runs, () => noop.call('noop')), { unit: '/s' });
  await noop.close();

  const [ada, bob] = [startServer(home, 'ada'), startServer(home, 'bob')];
  await Promise.all([ada.initialize(), bob.initialize()]);
  await Promise.all([ada.call('whoami'), bob.call('whoami')]);
  const send = (n) => ada.call('send', { to: 'bob', body: `${n} ${BODY}`, allow_duplicate: true });
  table.add('stdio empty recv_batch', summary(await timed(runs, () => bob.call('recv_batch'))), { floor: 'stdio no-op' });
  table.add('stdio send', summary(await timed(runs, send)), { floor: 'stdio no-op' });
  table.add('stdio send, paced', summary(await paced(runs / 10, () => send('paced'))), { floor: 'stdio no-op, paced' });
  table.add('stdio send, 16 in flight', await inFlight(runs, send), {
    unit: '/s',
    floor: 'stdio no-op, 16 in flight',
    note: 'higher is better',
  });
  let receipt;
  const receive = async () => {
    const batch = await bob.call('recv_batch', { max: 1, ...(receipt === undefined ? {} : { ack: receipt }) });
    receipt = batch.receipt ?? undefined;
  };
  table.add('stdio recv_batch + ack', summary(await timed(runs - 60, receive)), { floor: 'stdio no-op', note: 'one message each' });
  while (receipt !== undefined || (await bob.call('recv_batch', { max: 0 })).remaining > 0) {
    receipt = (await bob.call('recv_batch', { max: 32, ...(receipt === undefined ? {} : { ack: receipt }) })).receipt ?? undefined;
  }
  await wakes(ada, bob, table, Math.min(runs, 100));
  await Promise.all([ada.close(), bob.close()]);
}

/** With a pause before each: a processor that slept in between takes longer. */
async function paced(runs, call) {
  const times = [];
  for (let n = 0; n < runs; n++) {
    await pause(PACE_MS);
    const since = performance.now();
    await call();
    times.push((performance.now() - since) * 1_000);
  }
  return times.sort((a, b) => a - b);
}

/** Calls a second with sixteen of one client under way. */
async function inFlight(runs, call) {
  const since = performance.now();
  await Promise.all(
    Array.from({ length: 16 }, async (_, k) => {
      for (let n = k; n < runs; n += 16) await call(`16 at once ${n}`);
    }),
  );
  return { p50: (runs * 1_000) / (performance.now() - since) };
}

/** Two processes: bob waits in recv_batch, ada sends; until bob's answer is read here. */
async function wakes(ada, bob, table, runs) {
  const times = [];
  let receipt;
  for (let n = 0; n < runs; n++) {
    const waiting = bob.call('recv_batch', { wait_seconds: 20, ...(receipt === undefined ? {} : { ack: receipt }) });
    await parked(ada);
    const since = performance.now();
    await ada.call('send', { to: 'bob', body: `wake ${n}`, allow_duplicate: true });
    receipt = (await waiting).receipt;
    times.push((performance.now() - since) * 1000);
  }
  table.add('wake, two processes', summary(times.sort((a, b) => a - b)), {
    floor: 'stdio no-op, paced',
    note: 'send called -> recv_batch answered',
  });
}

/** Until the hub says that bob waits. */
async function parked(ada) {
  for (;;) {
    const { agents } = await ada.call('list_agents');
    if (agents.find(({ name }) => name === 'bob')?.state === 'waiting') return;
  }
}
