// Misuse of what opens something: every kind of secret and handle at every door that is not its own, and at its own in every spelling but the right
// one, when it is used up, and by sixteen at once. What is refused is refused alike, so that a guesser learns nothing.

import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { api, ask, connect, type Served, serveHub } from '../server/http-hub.ts';
import { operatorOf } from '../support/acts.ts';
import { OTHER_PROJECT } from '../support/engines.ts';

/** What opens something, by its kind. */
type Secrets = Record<
  'token' | 'foreign token' | 'enrolment' | 'code' | 'cookie' | 'proof' | 'webhook secret' | 'receipt' | 'mcp session' | 'ask' | 'approval',
  string
>;
type Door = {
  /** The kinds that open it. */
  to: (keyof Secrets)[];
  open: (served: Served, secret: string, all: Secrets) => Promise<number>;
};

/** Each answers the status; anything below 300 means that it was opened. */
const DOORS: Record<string, Door> = {
  'the API': {
    to: ['token', 'foreign token'],
    open: async ({ url }, secret) => (await ask(url, '/api/whoami', { method: 'POST', headers: bearer(secret), body: '{}' })).status,
  },
  MCP: {
    to: ['token', 'foreign token'],
    open: async ({ url }, secret) => (await ask(url, '/mcp', { method: 'POST', headers: bearer(secret), body: INITIALIZE })).status,
  },
  events: { to: [], open: async ({ url }, secret) => (await ask(url, '/events', { headers: bearer(secret) })).status },
  enrolling: {
    to: ['enrolment'],
    open: async ({ url }, secret) => (await ask(url, '/enrol', { method: 'POST', headers: bearer(secret) })).status,
  },
  'signing in': {
    to: ['code'],
    open: async ({ url }, code) => (await ask(url, '/sign-in', { method: 'POST', body: JSON.stringify({ code }) })).status,
  },
  'the cookie': {
    to: ['cookie'],
    open: async ({ url, hub }, secret, { proof }) =>
      (await ask(url, '/api/views', { headers: { cookie: `rookery_${hub.instanceId}=${sendable(secret)}`, 'rookery-proof': proof } }))
        .status,
  },
  'the proof': {
    to: ['proof'],
    open: async ({ url, hub }, secret, { cookie }) =>
      (await ask(url, '/api/views', { headers: { cookie: `rookery_${hub.instanceId}=${cookie}`, 'rookery-proof': sendable(secret) } }))
        .status,
  },
  'the end of a task': {
    to: ['webhook secret'],
    async open({ url, hub }, secret) {
      const { taskId } = await hub.tasks.create(await operatorOf(hub), { title: 'Built outside', external: true }, { tool: 'test' });
      return await endTask(url, secret === '' ? 'whsec_' : secret, taskId);
    },
  },
  'an MCP session': {
    to: [],
    open: async ({ url }, id, { token }) =>
      (await ask(url, '/mcp', { method: 'POST', headers: { ...bearer(token), 'mcp-session-id': sendable(id) }, body: PING })).status,
  },
  'a receipt': { to: ['receipt'], open: async ({ url }, receipt, { token }) => (await api(url, token, 'ack', { receipt })).status },
  'a question': {
    to: ['ask'],
    open: async ({ url }, ask_id, { token }) => (await api(url, token, 'answer', { ask_id, answer: 'yes' })).status,
  },
  'an approval': {
    to: [],
    open: async ({ url }, approval_id, { token }) =>
      (await api(url, token, 'decide_approval', { approval_id, decision: 'approve' })).status,
  },
};
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'thief', version: '1' } },
});
const PING = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' });

/** Node refuses to send what is no header; so would any client. */
const sendable = (secret: string) => secret.replace(/[^\t\x20-\x7e]/g, '?');

function bearer(secret: string): Record<string, string> {
  return { authorization: `Bearer ${sendable(secret)}`, accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
}

async function endTask(url: string, secret: string, taskId: string): Promise<number> {
  const body = JSON.stringify({ type: 'task.completed', data: { task_id: taskId, result: 'done' } });
  const now = new Date();
  const signature = (() => {
    try {
      return new Webhook(secret).sign('msg_1', now, body);
    } catch {
      return `v1,${createHash('sha256').update(secret).digest('base64')}`; // no key of a signature at all
    }
  })();
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  return (await ask(url, '/hooks/task', { method: 'POST', headers, body })).status;
}

/** One of each kind, live: nothing here was used or is over. The token is bob’s, the session carol’s, the approval asked for by bob himself. */
async function secretsOf(served: Served): Promise<Secrets> {
  const { hub, url } = served;
  const operator = await operatorOf(hub);
  const [token, carol] = [await served.token('bob'), await served.token('carol')];
  const foreign = await served.token('bob', { project: OTHER_PROJECT });
  await api(url, token, 'whoami');
  await api(url, await served.token('operator'), 'send', { to: 'bob', body: 'a letter' });
  const { receipt } = (await api(url, token, 'recv_batch')).body;
  const { ask_id } = (await api(url, carol, 'ask', { to: 'bob', question: 'may I?' })).body;
  const { approval_id } = (await api(url, token, 'request_approval', { action: 'deploy', risk: 'medium' })).body;
  const { transport } = await connect(url, carol);
  const enrolment = await hub.enrolments.create(operator, { name: 'newcomer' }, { tool: 'test' });
  const { code } = await hub.signIns.offer(operator);
  const { cookie, proof } = await hub.signIns.redeem((await hub.signIns.offer(operator)).code);
  const { secret } = await hub.tasks.create(operator, { title: 'Another', external: true }, { tool: 'test' });
  return {
    token,
    'foreign token': foreign,
    enrolment: enrolment.token ?? '',
    code,
    cookie,
    proof,
    'webhook secret': secret ?? '',
    receipt: String(receipt),
    'mcp session': transport.sessionId ?? '',
    ask: String(ask_id),
    approval: String(approval_id),
  };
}

const LIMITS = { authFailures: 1_000_000, openEnrolments: 1_000 };

it('opens no door but its own', { timeout: 120_000 }, async () => {
  const served = await serveHub({ limits: LIMITS });
  const all = await secretsOf(served);
  for (const secret of Object.values(all)) expect(secret.length).toBeGreaterThan(15);
  const opened: string[] = [];
  for (const [name, door] of Object.entries(DOORS))
    for (const [kind, secret] of Object.entries(all)) {
      if (door.to.includes(kind as keyof Secrets) && kind !== 'webhook secret') continue;
      const status = await door.open(served, secret, all);
      if (status < 400 || status >= 500) opened.push(`${kind} at ${name}: ${status}`);
    }
  expect(opened).toEqual([]);
});

/** The same secret in every spelling but the right one. */
const SPELLINGS: Record<string, (secret: string) => string> = {
  nothing: () => '',
  'without its end': (secret) => secret.slice(0, -1),
  'its first half': (secret) => secret.slice(0, Math.floor(secret.length / 2)),
  'its second half': (secret) => secret.slice(Math.floor(secret.length / 2)),
  'what it begins with': (secret) => secret.slice(0, 8),
  longer: (secret) => `${secret}A`,
  twice: (secret) => `${secret}${secret}`,
  'in other letters': (secret) => swapped(secret),
  'one letter other': (secret) => `${secret.slice(0, -2)}${secret.at(-2) === 'A' ? 'B' : 'A'}${secret.slice(-1)}`,
  backwards: (secret) => [...secret].reverse().join(''),
  'its hash': (secret) => createHash('sha256').update(secret).digest('hex'),
  'a pattern': (secret) => `${secret.slice(0, -1)}%`,
  'any one': () => '*',
  'with SQL': (secret) => `${secret}' OR '1'='1`,
  'with a NUL': (secret) => `${secret}\u0000`,
  'with a path': (secret) => `../${secret}`,
};

function swapped(text: string): string {
  return [...text].map((one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())).join('');
}

it('opens its own door in no other spelling', { timeout: 120_000 }, async () => {
  const served = await serveHub({ limits: LIMITS });
  const all = await secretsOf(served);
  const opened: string[] = [];
  for (const [name, door] of Object.entries(DOORS))
    for (const kind of door.to)
      for (const [spelling, spell] of Object.entries(SPELLINGS)) {
        const spelled = spell(all[kind]);
        if (spelled === all[kind]) continue;
        const status = await door.open(served, spelled, all);
        if (status < 400 || status >= 500) opened.push(`${kind} at ${name}, ${spelling}: ${status}`);
      }
  expect(opened).toEqual([]);
  // And every door does open to its own, or all of this shows nothing.
  for (const [name, door] of Object.entries(DOORS))
    for (const kind of door.to.filter((one) => one !== 'webhook secret'))
      expect([name, await door.open(served, all[kind], all)]).toEqual([name, 200]);
});

it('refuses ids of MCP sessions that were made up, also well made ones', async () => {
  const { url, token, hub } = await serveHub({ limits: LIMITS });
  const secret = await token('alice');
  const { name } = (await api(url, secret, 'whoami')).body;
  const { agentId } = await hub.tokens.authenticate(secret);
  expect(name).toBe('alice');
  const nonce = '0'.repeat(32);
  const made = (told: string) =>
    `${nonce}.${createHash('sha256').update(`${agentId}\n${nonce}\n${told}`).digest('hex').slice(0, 16)}.${told}`;
  for (const told of ['x', Buffer.from('{"a":1}').toString('base64url'), Buffer.from('[[],{}]').toString('base64url'), '_'.repeat(800)]) {
    const headers = { ...bearer(secret), 'mcp-session-id': made(told) };
    const { status, text } = await ask(url, '/mcp', { method: 'POST', headers, body: PING });
    expect([told, status, text]).toEqual([told, 404, expect.stringContaining('Session not found')]);
  }
});

it('is used by one of sixteen at once', async () => {
  const served = await serveHub({ limits: LIMITS });
  const { hub, url } = served;
  const operator = await operatorOf(hub);
  const { token: enrolment = '' } = await hub.enrolments.create(operator, { name: 'newcomer' }, { tool: 'test' });
  const { code } = await hub.signIns.offer(operator);
  const sixteen = async (path: string, asked: () => Parameters<typeof ask>[2]) => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(url, path, { method: 'POST', ...asked() })));
    return answers.map(({ status }) => status).filter((status) => status < 400);
  };
  expect(await sixteen('/enrol', () => ({ headers: bearer(enrolment) }))).toEqual([200]);
  expect(await sixteen('/sign-in', () => ({ body: JSON.stringify({ code }) }))).toEqual([200]);
});

it('tells a guesser the same of what is over, of somebody else’s, and of what never was', async () => {
  const served = await serveHub({ limits: LIMITS });
  const { hub, url } = served;
  const [alice, bob] = [await served.token('alice'), await served.token('bob')];
  for (const one of [alice, bob]) await api(url, one, 'whoami');
  await api(url, alice, 'send', { to: 'bob', body: 'for bob' });
  const { receipt } = (await api(url, bob, 'recv_batch')).body;
  const { ask_id } = (await api(url, alice, 'ask', { to: 'bob', question: 'q?' })).body;
  const { token: used = '' } = await hub.enrolments.create(await operatorOf(hub), { name: 'newcomer' }, { tool: 'test' });
  await ask(url, '/enrol', { method: 'POST', headers: bearer(used) });
  const words = async (tool: string, ...args: Record<string, unknown>[]) =>
    await Promise.all(args.map(async (one) => JSON.stringify((await api(url, alice, tool, one)).body).replaceAll(/"(rcp|ask)_\w+/g, '"')));
  const acks = await words('ack', { receipt }, { receipt: `${String(receipt).slice(0, -2)}zz` });
  const answers = await words('answer', { ask_id, answer: 'x' }, { ask_id: `${String(ask_id).slice(0, -2)}zz`, answer: 'x' });
  const neutral = (text: string) => text.replaceAll(String(receipt), 'ID').replaceAll(String(ask_id), 'ID');
  for (const [mine, guessed] of [acks, answers])
    expect(neutral(mine ?? '').replaceAll(/[a-z]{3}_\w+/g, 'ID')).toBe(neutral(guessed ?? '').replaceAll(/[a-z]{3}_\w+/g, 'ID'));
});
