// Hubs that agents speak to over MCP on standard input and output: a send, a look at an empty inbox, and a full round, one client process each.

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { LIMITS } from '../../prove/hub.mjs';
import { startProgram, startServer } from '../../prove/stdio-raw.mjs';
import { summary, timed } from '../figures.mjs';
import { install } from './install.mjs';

const BODY = 'x'.repeat(300);
/** A round of some takes the longer, the more there were. */
const ROUNDS_MS = 20_000;
/** better-sqlite3 turns WAL on with synchronous=NORMAL; neither of them sets another. */
const NORMAL = 'WAL, NORMAL: a power cut loses what was acknowledged last';

/** `have` runs what may not be to be had, and says why it was not. */
export async function benchHubs(home, table, { runs }, have) {
  const size = Math.round(runs / 2);
  await measure(table, 'rookery', size, await rookery(join(home, 'rookery')), 'WAL, FULL: on disk');
  for (const [name, start] of Object.entries({ 'agent-inbox': agentInbox, agentsmcp: agentsMcp }))
    await have(async () => measure(table, name, size, await start(join(home, name), install(name)), NORMAL), name);
}

/** The rounds come last: they are what grows with the history that the sends have left. */
async function measure(table, name, runs, peer, promise) {
  try {
    const floor = (what) => (name === 'rookery' ? {} : { floor: `rookery: ${what}` });
    await peer.receive();
    table.add(`${name}: empty receive`, summary(await timed(runs, peer.receive, 10)), floor('empty receive'));
    table.add(`${name}: send`, summary(await timed(runs, peer.send, 10)), { ...floor('send'), note: promise });
    for (const end = performance.now() + ROUNDS_MS; performance.now() < end && (await peer.receive()) > 0; );
    const round = async (n) => {
      await peer.send(runs + n);
      await peer.receive();
    };
    const note = `after ${runs} messages; ${peer.reading}`;
    table.add(`${name}: send + receive`, summary(await timed(runs, round, 10, ROUNDS_MS)), { ...floor('send + receive'), note });
  } finally {
    await peer.close();
  }
}

async function rookery(home) {
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(join(home, 'config.json'), JSON.stringify({ limits: LIMITS }), { mode: 0o600 });
  const [ada, bob] = [startServer(home, 'ada'), startServer(home, 'bob')];
  await Promise.all([ada.initialize(), bob.initialize()]);
  await Promise.all([ada.call('whoami'), bob.call('whoami')]);
  let receipt;
  return {
    reading: 'the receive acknowledges the batch before it',
    send: (n) => ada.call('send', { to: 'bob', body: `${n} ${BODY}`, allow_duplicate: true }),
    async receive() {
      const batch = await bob.call('recv_batch', { max: 32, ...(receipt === undefined ? {} : { ack: receipt }) });
      receipt = batch.receipt ?? undefined;
      return batch.messages.length;
    },
    close: () => Promise.all([ada.close(), bob.close()]),
  };
}

async function agentInbox(home, folder) {
  mkdirSync(home);
  const env = { HOME: home, INBOX_SQLITE_PATH: join(home, 'inbox.db') };
  const start = () => startProgram([join(folder, 'node_modules/agent-inbox/dist/cli.js'), 'mcp'], home, env);
  const [ada, bob] = [start(), start()];
  await ada.initialize();
  await bob.initialize();
  return {
    reading: 'what is looked at counts as read',
    send: (n) => said(ada, 'send_message', { to: 'bob', from: 'ada', body: `${n} ${BODY}` }),
    receive: async () => (await said(bob, 'check_inbox', { agentId: 'bob', limit: 32 })).count,
    close: async () => [ada, bob].map((one) => one.kill()),
  };
}

async function agentsMcp(home, folder) {
  mkdirSync(home);
  const port = String(await freePort());
  const dist = join(folder, 'node_modules/agentsmcp/dist');
  const server = spawn(process.execPath, [join(dist, 'server.js')], {
    cwd: home,
    env: { ...process.env, HOME: home, PORT: port, LOG_LEVEL: 'error' },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  const start = (name) =>
    startProgram([join(dist, 'mcp/index.js')], home, { HOME: home, AGENTSMCP_SERVER: url, AGENTSMCP_AGENT_ID: `${name}@bench` });
  await answers(url);
  const [ada, bob] = [start('ada'), start('bob')];
  await ada.initialize();
  await bob.initialize();
  return {
    reading: 'looking only, nothing is marked as read',
    send: (n) => said(ada, 'agentsmcp_send', { to: 'bob@bench', payload: { text: `${n} ${BODY}` } }),
    async receive() {
      await said(bob, 'agentsmcp_unread', {});
      return 0;
    },
    async close() {
      for (const one of [ada, bob]) one.kill();
      server.kill();
    },
  };
}

async function said(program, name, args) {
  const { result, error } = await program.ask('tools/call', { name, arguments: args });
  const text = error?.message ?? result.content?.[0]?.text ?? '{}';
  if (error !== undefined || result.isError) throw new Error(`${name}: ${text}`);
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Until a server listens, 20 s at most. */
async function answers(url) {
  for (let n = 0; n < 200; n++) {
    const up = await fetch(url).then(
      () => true,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens at ${url}`);
}

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
