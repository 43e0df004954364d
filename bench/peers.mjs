// Other people's programs beside this one, in the same run: hubs that agents speak to over MCP, beside `rookery stdio`; and plain queues, beside the
// hub as a library. What each promises of an acknowledged send stands in its row, because that is most of what a send costs. Their programs are
// installed into the user's cache folder (ROOKERY_BENCH_PEERS names another), never into this package; what cannot be had is skipped, and said.

import { benchHubs } from './peers/hubs.mjs';
import { bullmq, jetstream, library, pgBoss } from './peers/queues.mjs';

export async function benchPeers(home, table, size) {
  await benchHubs(home, table, size, have);
  const queues = { 'this hub, library': library, 'BullMQ on Redis': bullmq, 'NATS JetStream': jetstream, 'pg-boss on PostgreSQL': pgBoss };
  for (const [name, queue] of Object.entries(queues)) await have(() => queue(home, table, name, size), name);
}

/** Runs what may not be to be had; then the reason is on standard error. */
async function have(work, name) {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`\n  SKIPPED: ${name}: ${error.message.replace(/\s+/g, ' ').slice(0, 200)}\n`);
  }
}
