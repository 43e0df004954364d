// Through MCP over HTTP. The floor is Node's own server with a small answer (raw-http.mjs); beside it stand a no-op tool behind the SDK's transport
// and the least that the hub does for a call: one of a tool that nobody offered it passes the gate, the token, the session and the protocol.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openHub, PROJECT, program } from '../prove/hub.mjs';
import { summary, timed } from './figures.mjs';
import { mcpClient } from './keep-alive.mjs';

const RAW = fileURLToPath(new URL('raw-http.mjs', import.meta.url));
const NOOP = fileURLToPath(new URL('noop-http.mjs', import.meta.url));
const BODY = 'x'.repeat(300);
const CROWDS = [1, 8, 32];

export async function benchHttp(home, table, { runs, seconds }) {
  const names = Array.from({ length: 32 }, (_, n) => `client-${n}`);
  const tokens = await makeTokens(home, ['ada', 'bob', ...names]);
  const servers = await Promise.all([
    startHttp([RAW], home),
    startHttp([NOOP], home),
    startHttp([program(), 'serve', '--port', '0', '--json', '--project', PROJECT.name], home),
  ]);
  try {
    await measure(servers, tokens, names, table, { runs, seconds });
  } finally {
    for (const { child } of servers) child.kill('SIGTERM');
  }
}

async function measure([raw, noop, served], tokens, names, table, { runs, seconds }) {
  const [ada, bob] = await Promise.all(tokens.slice(0, 2).map((token) => mcpClient(served.url, token)));
  const [bare, sdk] = await Promise.all([mcpClient(raw.url), mcpClient(noop.url)]);
  table.add('raw node:http', summary(await timed(runs, () => bare.raw('noop', {}))));
  table.add('http no-op', summary(await timed(runs, () => sdk.raw('noop', {}))), {
    floor: 'raw node:http',
    note: 'behind the SDK’s transport',
  });
  const least = summary(await timed(runs, () => ada.raw('noop', {})));
  table.add('http least call', least, { floor: 'raw node:http', note: 'a tool that is not there: gate, token, session, protocol' });
  table.add('http empty recv_batch', summary(await timed(runs, () => bob.raw('recv_batch', {}))), { floor: 'http no-op' });
  const send = (n) => ada.call('send', { to: 'bob', body: `${n} ${BODY}`, allow_duplicate: true });
  table.add('http send', summary(await timed(runs, send)), { floor: 'http no-op' });
  let receipt;
  const receive = async () => {
    const batch = await bob.call('recv_batch', { max: 1, ...(receipt === undefined ? {} : { ack: receipt }) });
    receipt = batch.receipt ?? undefined;
  };
  table.add('http recv_batch + ack', summary(await timed(runs - 60, receive)), { floor: 'http no-op', note: 'one message each' });

  const crowd = await Promise.all(tokens.slice(2).map((token) => mcpClient(served.url, token)));
  for (const count of CROWDS) {
    const own = crowd.slice(0, count);
    const floors = await Promise.all(own.map(() => mcpClient(raw.url)));
    const noops = await Promise.all(own.map(() => mcpClient(noop.url, undefined, sdk.session)));
    const length = (seconds * 1_000) / 6;
    const at = `${count} client${count === 1 ? '' : 's'}`;
    table.add(`raw node:http, ${at}`, await rate(floors, length, (client) => client.raw('noop', {})), { unit: '/s' });
    const floor = `raw node:http, ${at}`;
    table.add(`http no-op, ${at}`, await rate(noops, length, (client) => client.raw('noop', {})), { unit: '/s', floor });
    table.add(`http least call, ${at}`, await rate(own, length, (client) => client.raw('noop', {})), {
      unit: '/s',
      floor,
      note: 'higher is better',
    });
    const sending = (client, n) => client.call('send', { to: 'bob', body: `${n} ${BODY}`, allow_duplicate: true });
    table.add(`http send, ${at}`, await rate(own, length, sending), {
      unit: '/s',
      floor: `http least call, ${at}`,
      note: 'higher is better',
    });
    const receipts = new Map();
    const round = async (client, n) => {
      const name = names[crowd.indexOf(client)];
      await client.call('send', { to: name, body: `${n} ${BODY}`, allow_duplicate: true });
      const ack = receipts.get(name);
      const batch = await client.call('recv_batch', { max: 1, ...(ack === undefined ? {} : { ack }) });
      receipts.set(name, batch.receipt ?? undefined);
    };
    table.add(`http round, ${at}`, await rate(own, length, round), {
      unit: '/s',
      floor: `http send, ${at}`,
      note: 'each sends itself one, receives it and acknowledges the one before',
    });
    for (const client of [...floors, ...noops]) client.close();
  }
  for (const client of [ada, bob, bare, sdk, ...crowd]) client.close();
}

/** Calls a second that all clients together have answered, each one after the other. */
async function rate(clients, ms, call) {
  let calls = 0;
  const since = performance.now();
  const until = since + ms;
  await Promise.all(
    clients.map(async (client) => {
      for (let n = 0; performance.now() < until; n++) {
        await call(client, n);
        calls += 1;
      }
    }),
  );
  return { p50: (calls * 1_000) / (performance.now() - since) };
}

async function makeTokens(home, names) {
  const hub = await openHub(home);
  const operator = await hub.projects.operator(PROJECT, 'cli');
  const tokens = [];
  for (const agent of names) tokens.push((await hub.tokens.create(operator, { agent })).token);
  await hub.close();
  return tokens;
}

/** Starts a server that tells its url in one line of JSON. */
export function startHttp(args, home) {
  const child = spawn(process.execPath, args, {
    cwd: home,
    env: { ...process.env, ROOKERY_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', (line) => resolve({ child, url: JSON.parse(line).url }));
  });
}
