// Several receivers of one inbox in one process, all in the same session: node inbox-loop.mjs '{home, caller, loops}'.
// Each receives, now and then forgets its batch, and acknowledges by receipt what it holds. Answers by IPC what it acknowledged, and how.

import { openHub, pause } from './hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const { home, caller, loops, total } = JSON.parse(process.argv[2]);
const hub = await openHub(home);
/** [message, attempt under whose receipt it was acknowledged] */
const acked = [];
let stale = 0;
let over = 0;

await Promise.all(Array.from({ length: loops }, (_, index) => receiver(index)));
await hub.close();
process.send({ acked, stale }, () => process.exit(0));

async function receiver(index) {
  for (let turn = index; over < 5; turn++) {
    const batch = await hub.inbox.receive(
      caller,
      { max: 1 + (turn % 7), maxBytes: 32_768, waitMs: 0, peek: false },
      { tool: 'recv_batch' },
    );
    if (batch.messages.length === 0) {
      const rows = await hub.context.db.read((read) => read.all("SELECT COUNT(*) AS n FROM deliveries WHERE state = 'acked'"));
      over = Number(rows[0].n) >= total ? over + 1 : 0;
      await pause(5);
      continue;
    }
    if (turn % 3 === 0) continue;
    await pause(turn % 4);
    await acknowledge(batch);
  }
}

async function acknowledge({ receipt, messages }) {
  try {
    const result = await hub.inbox.acknowledge(caller, { receipt, delayMs: 0 }, { tool: 'ack' });
    for (const id of result.acked) acked.push([id, messages.find((message) => message.id === id)?.attempt ?? 0]);
  } catch (error) {
    if (error.code !== 'stale_receipt') throw error;
    stale += 1;
  }
}
