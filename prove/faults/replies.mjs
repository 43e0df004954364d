// Faults between the hub and who asks: the answer that gets lost after the commit, the same request sixteen times at once, and many clients
// whose requests carry equal ids. A repeat under the same key has the effect once and the same answer.

import { request } from 'node:http';
import { chance, pause } from '../hub.mjs';
import { startHttp } from './http-hub.mjs';

/** Each send loses its answer again and again, at random instants, until one comes through. */
export async function proveLostAnswers({ sends, seed }) {
  const luck = chance(seed);
  const hub = await startHttp(['a', 'b']);
  const bad = [];
  let lost = 0;
  try {
    const token = hub.tokens.a;
    for (let n = 0; n < sends; n++) {
      const body = { to: 'b', body: `number ${n}`, idempotency_key: `key-${n}` };
      while (luck.next() < 0.75) {
        await cutOff(hub, token, body, luck.next() * 12);
        lost += 1;
      }
      const answer = await hub.call(token, 'send', body);
      if (answer.status !== 200) bad.push(`number ${n}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    const inbox = await bodiesOf(hub, hub.tokens.b);
    const expected = Array.from({ length: sends }, (_, n) => `number ${n}`);
    if (inbox.join() !== expected.join())
      bad.push(`the inbox holds ${inbox.length} messages, ${new Set(inbox).size} different ones, of ${sends}`);
    return { checked: sends, bad, note: `${lost} answers lost` };
  } finally {
    await hub.done();
  }
}

/** The same request over `copies` connections at once: one effect, equal answers. */
export async function proveSameAtOnce({ rounds, copies = 16 }) {
  const hub = await startHttp(['a', 'b']);
  const bad = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const body = { to: 'b', body: `round ${round}`, idempotency_key: `same-${round}` };
      const answers = await Promise.all(Array.from({ length: copies }, () => hub.call(hub.tokens.a, 'send', body)));
      const ids = new Set(answers.map((answer) => answer.body.message_id));
      const failed = answers.filter(({ status }) => status !== 200);
      if (ids.size !== 1 || failed.length > 0)
        bad.push(`round ${round}: ${ids.size} different answers, ${failed.length} failed: ${JSON.stringify(failed[0]?.body)}`);
    }
    const inbox = await bodiesOf(hub, hub.tokens.b);
    if (inbox.length !== rounds) bad.push(`${inbox.length} messages of ${rounds}`);
    return { checked: rounds * copies, bad, note: `${rounds} effects` };
  } finally {
    await hub.done();
  }
}

/** `clients` sessions of MCP over HTTP; every one gives its requests the ids 1, 2, 3. Each is answered its own. */
export async function proveEqualIds({ clients, rounds = 3 }) {
  const names = Array.from({ length: clients }, (_, n) => `agent-${n}`);
  const hub = await startHttp(names);
  const bad = [];
  try {
    const sessions = await Promise.all(names.map((name) => hub.session(hub.tokens[name])));
    for (let round = 1; round <= rounds; round++) {
      const answers = await Promise.all(
        sessions.map((session, n) => session.call(round, 'send', { to: names[(n + 1) % clients], body: `${names[n]} round ${round}` })),
      );
      for (const [n, { id, result, error }] of answers.entries()) {
        const to = result?.structuredContent?.recipients?.[0]?.name;
        if (id !== round || to !== names[(n + 1) % clients])
          bad.push(`${names[n]}, round ${round}: answered ${id} to ${to} ${error?.message ?? ''}`);
      }
    }
    return { checked: clients * rounds, bad };
  } finally {
    await hub.done();
  }
}

async function bodiesOf(hub, token) {
  const bodies = [];
  for (let ack; ; ) {
    const { body } = await hub.call(token, 'recv_batch', { max: 50, ...(ack === undefined ? {} : { ack }) });
    if (body.messages === undefined || body.messages.length === 0) return bodies;
    bodies.push(...body.messages.map((message) => message.body));
    ack = body.receipt;
  }
}

/** Sends the request and hangs up after so many milliseconds, whatever has become of it. */
async function cutOff(hub, token, body, afterMs) {
  const asked = request(`${hub.url}/api/send`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    agent: false,
  });
  asked.on('error', () => {}); // hung up on purpose
  asked.on('response', (response) => response.on('error', () => {}));
  asked.end(JSON.stringify(body));
  await pause(afterMs);
  asked.destroy();
}
