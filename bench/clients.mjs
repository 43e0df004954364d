// Several clients at work at once, each with a stdio server of its own on one database: each sends, receives what came and acknowledges it, and
// asks, one call after the other as fast as it can. The floor is as many clients of a server whose tool does nothing.

import { fileURLToPath } from 'node:url';
import { startProgram, startServer } from '../prove/stdio-raw.mjs';
import { summary } from './figures.mjs';

const NOOP = fileURLToPath(new URL('noop-server.mjs', import.meta.url));
const BODY = 'x'.repeat(300);
const CROWDS = [1, 4, 8];

export async function benchClients(home, table, { seconds }) {
  const most = Math.max(...CROWDS);
  const numbers = Array.from({ length: most }, (_, n) => n);
  const noops = await Promise.all(numbers.map(() => started(startProgram([NOOP], home))));
  // Whoever is asked is somebody else, and never answers: the question is taken back.
  const clients = await Promise.all([...numbers, 'asked'].map((n) => started(startServer(home, `client-${n}`))));
  await Promise.all(clients.map((client) => client.call('whoami')));
  for (const count of CROWDS) {
    const at = `${count} client${count === 1 ? '' : 's'}`;
    const bare = await together(
      noops.slice(0, count),
      seconds / 3,
      (client) => async (timed) => await timed('no-op', () => client.call('noop')),
    );
    report(table, at, bare, seconds / 3);
    report(table, at, await together(clients.slice(0, count), seconds, working), seconds);
  }
  await Promise.all([...noops, ...clients].map((client) => client.close()));
}

async function started(client) {
  await client.initialize();
  return client;
}

/** One client's rounds; `timed` keeps what each call took. */
function working(client, n) {
  let receipt;
  let round = 0;
  return async (timed) => {
    round += 1;
    await timed('send', () => client.call('send', { to: `client-${n}`, body: `${n} ${round} ${BODY}`, allow_duplicate: true }));
    const ack = receipt === undefined ? {} : { ack: receipt };
    receipt = (await timed('recv', () => client.call('recv_batch', { max: 1, ...ack }))).receipt ?? undefined;
    const { ask_id } = await timed('ask', () => client.call('ask', { to: 'client-asked', question: `may I, ${round}?` }));
    await client.call('cancel_ask', { ask_id });
  };
}

/** The times of each kind of call by all clients together, in microseconds. */
async function together(clients, seconds, rounds) {
  const times = new Map();
  const timed = async (name, call) => {
    const since = performance.now();
    const answer = await call();
    if (!times.has(name)) times.set(name, []);
    times.get(name).push((performance.now() - since) * 1_000);
    return answer;
  };
  const until = performance.now() + seconds * 1_000;
  await Promise.all(
    clients.map(async (client, n) => {
      const round = rounds(client, n);
      while (performance.now() < until) await round(timed);
    }),
  );
  return times;
}

function report(table, at, times, seconds) {
  for (const [name, list] of times) {
    const figures = summary(list.sort((a, b) => a - b));
    const floor = name === 'no-op' ? {} : { floor: `no-op, ${at}` };
    table.add(`${name}, ${at}`, figures, { ...floor, note: `${Math.round(list.length / seconds)}/s` });
  }
}
