// The clients of hosts.mjs, in a process that trusts its authority: real MCP clients at two hubs, which send, ask, remind and work across them,
// go on when one hub is killed, and when the server is. node hosts-client.mjs '{urls, tokens}'; answers by IPC one line per promise.

import { get } from 'node:https';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { pause } from './hub.mjs';

process.once('disconnect', () => process.exit(1)); // whoever started this is gone

const { urls, tokens } = JSON.parse(process.argv[2]);
const [A, B] = urls;
const lines = [];

const alice = await connect('alice', A);
const bob = await connect('bob', B);
const boss = await connect('boss', A);
// Everybody exists before anybody is written to.
await Promise.all([alice, bob, boss].map((who) => who.call('whoami', {})));

await promise('delivery: what is sent at one hub wakes its reader at the other, once', async (hold) => {
  for (let n = 0; n < 10; n++) {
    const [from, to] = n % 2 === 0 ? [alice, bob] : [bob, alice];
    const waiting = to.call('recv_batch', { wait_seconds: 20 });
    await from.call('send', { to: to.name, body: `letter ${n}` });
    const { messages, receipt } = await waiting;
    hold(messages.length === 1 && messages[0].body === `letter ${n}`, `letter ${n}: ${messages.map(({ body }) => body)}`);
    await to.call('ack', { receipt });
  }
  const left = [await alice.call('recv_batch', {}), await bob.call('recv_batch', {})].flatMap(({ messages }) => messages);
  hold(left.length === 0, `${left.length} were shown again`);
});

await promise('ask: a question at one hub is answered at the other, and its asker hears of it at once', async (hold) => {
  const asking = alice.call('ask', { to: 'bob', question: 'Which way?', wait_seconds: 20 });
  const { messages, receipt } = await bob.call('recv_batch', { wait_seconds: 20 });
  await bob.call('answer', { ask_id: messages[0].ref, answer: 'North' });
  await bob.call('ack', { receipt });
  const ask = await asking;
  hold(ask.state === 'answered' && JSON.stringify(ask).includes('North'), JSON.stringify(ask));
  await drain(alice);
});

await promise('task: made at one hub, claimed and completed at the other', async (hold) => {
  const { task_id } = await boss.call('create_task', { title: 'Carry it across' });
  const claimed = await bob.call('claim_task', { task_id });
  hold(claimed.claimed, JSON.stringify(claimed));
  await bob.call('complete_task', { task_id, fencing_token: claimed.fencing_token, result: 'done' });
  const { task } = await boss.call('get_task', { task_id });
  hold(task.state === 'completed', `the task is ${task.state}`);
  await drain(bob);
});

await promise('reminder: set at a hub that is killed, fired by the other, once; sessions go on there', async (hold) => {
  const before = await alice.call('whoami', {});
  await alice.call('remind', { message: 'now', in_seconds: 3 });
  const stream = await follow(A, undefined, 3);
  await wish('kill a');
  await alice.moveTo(B);
  const { messages, receipt } = await alice.call('recv_batch', { wait_seconds: 20 });
  hold(messages.length === 1 && messages[0].body.includes('now'), JSON.stringify(messages));
  await alice.call('ack', { receipt });
  hold((await alice.call('recv_batch', { wait_seconds: 2 })).messages.length === 0, 'it fired twice');
  const after = await alice.call('whoami', {});
  hold(after.session_id === before.session_id && after.epoch === before.epoch, `session ${before.session_id} became ${after.session_id}`);
  hold(after.hub.boot_id !== before.hub.boot_id && after.hub.instance_id === before.hub.instance_id, 'the other hub is not told apart');
  const resumed = await follow(B, stream.at(-1), 3);
  hold(resumed.length >= 3 && resumed[0] === stream.at(-1) + 1, `events went on at ${resumed[0]} after ${stream.at(-1)}`);
});

await promise('the server is killed: hubs say so, calls fail definitely or not at all, and all goes on by itself', async (hold) => {
  await wish('start a');
  hold((await ready(B)) === 200, 'not ready before');
  await wish('halt server');
  const failed = await bob.call('send', { to: 'alice', body: 'while it is away', idempotency_key: 'away' }).catch((error) => error.message);
  hold(/unavailable/.test(failed), `answered ${JSON.stringify(failed)}`);
  await until(async () => (await ready(B)) === 503, 15_000);
  hold((await ready(B)) === 503, 'ready without a database');
  await wish('start server');
  await until(async () => (await ready(A)) === 200 && (await ready(B)) === 200, 20_000);
  hold((await ready(A)) === 200 && (await ready(B)) === 200, 'not ready again');
  await bob.call('send', { to: 'alice', body: 'while it is away', idempotency_key: 'away' });
  await alice.moveTo(A);
  const { messages } = await alice.call('recv_batch', { wait_seconds: 10 });
  hold(messages.length === 1, `${messages.length} messages of one key`);
});

process.send({ lines }, () => process.exit(0));

async function promise(title, run) {
  const bad = [];
  let checked = 0;
  try {
    await run((is, sentence) => {
      checked += 1;
      if (!is) bad.push(sentence);
    });
  } catch (error) {
    bad.push(String(error.stack ?? error).slice(0, 600));
  }
  lines.push({ title, checked, bad });
}

async function connect(name, url) {
  const who = { name, client: undefined, transport: undefined };
  const open = async (at, sessionId) => {
    const requestInit = { headers: { Authorization: `Bearer ${tokens[name]}` } };
    who.transport = new StreamableHTTPClientTransport(new URL(`${at}/mcp`), {
      requestInit,
      ...(sessionId === undefined ? {} : { sessionId }),
    });
    who.client = new Client({ name, version: '1' });
    await who.client.connect(who.transport);
  };
  await open(url);
  return {
    name,
    async call(tool, args) {
      const answer = await who.client.callTool({ name: tool, arguments: args });
      if (answer.isError) throw Object.assign(new Error(answer.content[0].text), { answer: JSON.parse(answer.content[0].text) });
      return answer.structuredContent;
    },
    /** The same session at another address, as a load balancer would have it. */
    async moveTo(at) {
      const { sessionId } = who.transport;
      await who.client.close().catch(() => {});
      await open(at, sessionId);
    },
  };
}

async function drain(who) {
  for (let receipt; ; ) {
    const batch = await who.call('recv_batch', receipt === undefined ? {} : { ack: receipt });
    if (batch.messages.length === 0) return;
    receipt = batch.receipt;
  }
}

/** The seqs of the next `count` events of the project, from the beginning or after one. */
function follow(url, after, count) {
  const headers = { Authorization: `Bearer ${tokens.operator}`, ...(after === undefined ? {} : { 'Last-Event-ID': String(after) }) };
  return new Promise((resolve, reject) => {
    const request = get(`${url}/events${after === undefined ? '?after=0' : ''}`, { headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
        const seqs = [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
        if (seqs.length < count) return;
        request.destroy();
        resolve(seqs.slice(0, count));
      });
    });
    request.on('error', reject);
  });
}

function ready(url) {
  return new Promise((resolve) => {
    get(`${url}/readyz`, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', () => resolve(0));
  });
}

async function until(condition, withinMs) {
  const end = performance.now() + withinMs;
  while (performance.now() < end && !(await condition())) await pause(200);
}

function wish(what) {
  const done = new Promise((resolve) => process.once('message', resolve));
  process.send({ wish: what });
  return done;
}
