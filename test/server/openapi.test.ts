// The OpenAPI document: it is one, it names every tool and view, and what the hub really answers is what it says (S-103).

import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { openApi } from '../../src/server/openapi.ts';
import { findAgentByName } from '../../src/store/agents.ts';
import { close } from '../../src/store/deliveries.ts';
import { pauseThread } from '../../src/store/pauses.ts';
import { tools } from '../../src/tools/index.ts';
import { views } from '../../src/views/index.ts';
import { PROJECT } from '../support/engines.ts';
import { type Answer, ask, serveHub, toObject } from './http-hub.ts';

type Operation = { responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }> };
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, { content: Record<string, { schema: object }> }> };
};

const document = openApi(tools, views) as Document;
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(document, 'openapi');

/** Holds an answer to what the document says of this path, method and status. */
function hold(path: string, method: string, { status, headers, text }: Pick<Answer, 'status' | 'headers' | 'text'>): void {
  const where = `${method} ${path} ${status}`;
  const operation = document.paths[path]?.[method.toLowerCase()];
  const named = operation?.responses[String(status)];
  const response = named?.$ref === undefined ? named : document.components.responses[named.$ref.split('/').at(-1) ?? ''];
  expect([where, response === undefined]).toEqual([where, false]);
  const type = String(headers['content-type']).split(';')[0] ?? '';
  const content = response?.content?.[type];
  expect([where, type, content === undefined]).toEqual([where, type, false]);
  if (type !== 'application/json') return;
  // References inside the document are resolved from its root.
  const schema = JSON.parse(JSON.stringify(content?.schema).replaceAll('"#/', '"openapi#/')) as object;
  const validate = ajv.compile(schema);
  const fits = validate(JSON.parse(text));
  expect([where, fits ? null : validate.errors]).toEqual([where, null]);
}

it('is OpenAPI 3.1 by the book, and names every tool and view', async () => {
  const result = await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>);
  expect(result.errors).toBeUndefined();
  expect(result.valid).toBe(true);
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(tools.map(({ name }) => `/api/${name}`)));
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(views.map(({ name }) => `/api/views/${name}`)));
  for (const { name } of views) {
    const schema = document.paths[`/api/views/${name}`]?.get?.responses['200']?.content?.['application/json']?.schema;
    expect([name, JSON.stringify(schema)]).toEqual([name, expect.stringContaining('"properties":')]);
  }
});

describe('real answers', () => {
  const succeeded = new Set<string>();

  beforeAll(async () => {
    const { url, token, hub } = await serveHub({
      settings: { toolsets: ['core', 'work', 'memory', 'manage'] },
    });
    const secrets: Record<string, string> = {};
    for (const [name, role] of [
      ['ada', 'manager'],
      ['bob', 'worker'],
      ['cleo', 'worker'],
      ['operator', undefined],
    ] as const)
      secrets[name] = await token(name, role === undefined ? {} : { role });
    const call = async (who: string, tool: string, args: Record<string, unknown> = {}) => {
      const answer = await ask(url, `/api/${tool}`, {
        method: 'POST',
        token: secrets[who],
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(args),
      });
      hold(`/api/${tool}`, 'POST', answer);
      if (answer.status === 200) succeeded.add(tool);
      else expect([tool, args, answer.text]).toEqual([tool, args, expect.stringContaining('"code"')]);
      return toObject(JSON.parse(answer.text));
    };
    const get = async (path: string, who?: string, of = path) => hold(of, 'GET', await ask(url, path, { token: who && secrets[who] }));

    // People and mail.
    for (const who of ['ada', 'bob', 'cleo']) await call(who, 'whoami');
    await call('bob', 'join', { capabilities: ['typescript'], status: 'here' });
    await call('ada', 'list_agents');
    const sent = await call('ada', 'send', { to: ['bob', 'cleo'], body: 'hello', kind: 'request', attachments: ['a.md'], subject: 's' });
    await call('ada', 'send', { to: 'bob', body: 'x', idempotency_key: 'k' });
    expect(await call('ada', 'send', { to: 'bob', body: 'x', idempotency_key: 'k' })).toMatchObject({ replayed: true });
    await call('ada', 'send', { to: 'bob', body: 'y', idempotency_key: 'k' });
    await call('ada', 'send', { to: 'nobody', body: 'x' });
    await call('ada', 'send', {});
    await call('bob', 'recv_batch', { peek: true });
    const batch = await call('bob', 'recv_batch');
    await call('bob', 'recv_batch');
    await call('bob', 'ack', { receipt: 'rcp_old' });
    const again = await call('bob', 'recv_batch');
    await call('bob', 'ack', { receipt: again.receipt, except: [batch.messages?.[0]?.id] });
    await call('bob', 'ack', { nack_ids: [batch.messages?.[0]?.id], delay_seconds: 1, reason: 'later' });
    await call('cleo', 'send', { to: 'ada', body: 'reply', in_reply_to: sent.message_id });
    for (const tool of ['message_status', 'get_message', 'get_thread']) await call('ada', tool, { message_id: sent.message_id });
    await call('cleo', 'message_status', { message_id: 'msg_nothing' });

    // What is owed.
    const asked = await call('ada', 'ask', { to: 'bob', question: 'Ready?', options: ['yes', 'no'] });
    await call('bob', 'get_open_threads');
    await call('bob', 'answer', { ask_id: asked.ask_id, answer: ['yes'] });
    const other = await call('ada', 'ask', { to: 'cleo', question: 'You?' });
    await call('ada', 'cancel_ask', { ask_id: other.ask_id });
    await call('ada', 'list_my_asks');
    await call('ada', 'get_open_threads', { scope: 'group' });
    const reminder = await call('bob', 'remind', { message: 'look', in_seconds: 3_600 });
    const daily = await call('bob', 'remind', { message: 'daily', cron: '0 9 * * *', timezone: 'Europe/Berlin' });
    await call('bob', 'list_my_reminders');
    await call('bob', 'cancel_reminder', { reminder_id: reminder.reminder_id });
    await hub.context.db.write(PROJECT.id, (tx) =>
      tx.run("UPDATE reminders SET state = 'parked', last_error = 'x', attempt_count = 5 WHERE state = 'pending'"),
    );
    await call('bob', 'list_my_reminders', { state: 'parked' });
    await call('ada', 'retry_reminder', { reminder_id: daily.reminder_id });
    await hub.context.db.write(PROJECT.id, (tx) =>
      pauseThread(tx, { threadId: String(sent.thread_id), projectId: PROJECT.id, reason: 'x', pausedAt: hub.context.time.now() }),
    );
    await call('operator', 'resume_thread', { thread_id: sent.thread_id });
    const lost = await call('ada', 'send', { to: 'bob', body: 'dead letter' });
    await hub.context.db.write(PROJECT.id, async (tx) => {
      const bob = await findAgentByName(tx, PROJECT.id, 'bob');
      await close(tx, String(lost.message_id), bob?.id ?? '', 'dead', 'x', hub.context.time.now());
    });
    await call('ada', 'requeue_dead', { message_id: lost.message_id, to: 'bob' });

    // What is allowed and kept.
    const held = await call('bob', 'reserve', { paths: ['src/a.ts'], names: ['build'], reason: 'r' });
    await call('cleo', 'reserve', { names: ['build'] });
    const reservations = (held.reservations ?? held.granted) as { id: string }[] | undefined;
    await call('bob', 'release', { ids: reservations?.map(({ id }) => id) ?? ['rsv_nothing'] });
    const wish = await call('bob', 'request_approval', { action: 'npm publish', risk: 'medium', reason: 'r' });
    await call('operator', 'decide_approval', { approval_id: wish.approval_id, decision: 'approve', note: 'n' });
    await call('bob', 'verify_approval', { approval_id: wish.approval_id, action: 'npm publish', consume: true });
    await call('bob', 'request_approval', { action: 'ls', risk: 'low' });
    await call('bob', 'save_checkpoint', { current_task: 't', decisions: ['d'] });
    await call('bob', 'load_checkpoint');
    await call('cleo', 'load_checkpoint');
    await call('bob', 'report_usage', { percent: 61 });

    // Work.
    const { task_id: one } = await call('ada', 'create_task', {
      title: 'one',
      reviewers: ['cleo'],
      labels: ['l'],
    });
    const claimed = await call('bob', 'claim_task', { task_id: one });
    await call('bob', 'update_task', { task_id: one, fencing_token: claimed.fencing_token, progress: 10, note: 'n' });
    await call('bob', 'complete_task', { task_id: one, fencing_token: 99, result: 'late' });
    await call('bob', 'complete_task', { task_id: one, fencing_token: claimed.fencing_token, result: 'done' });
    await call('cleo', 'submit_review', { task_id: one, revision: 1, verdict: 'NOT_PASS', findings: ['f'] });
    await call('bob', 'complete_task', { task_id: one, fencing_token: claimed.fencing_token, result: 'better' });
    await call('cleo', 'submit_review', { task_id: one, revision: 2, verdict: 'PASS' });
    const { task_id: two } = await call('ada', 'create_task', { title: 'two', depends_on: [one], capabilities: ['typescript'] });
    const { task_id: three } = await call('ada', 'create_task', { title: 'three', parent_id: two, assignee: 'bob' });
    const mine = await call('bob', 'claim_task', { task_id: three });
    await call('bob', 'handoff_task', { task_id: three, to: 'cleo', fencing_token: mine.fencing_token });
    for (const id of [one, two, three]) await call('ada', 'get_task', { task_id: id });
    await call('ada', 'list_tasks');
    await call('ada', 'wait_for_tasks', { task_ids: [one], wait_seconds: 0 });
    await call('ada', 'cancel_task', { task_id: two, reason: 'enough' });
    await call('cleo', 'claim_task');
    await call('ada', 'create_agent', { name: 'dan', role: 'worker' });
    await call('ada', 'create_template', {
      name: 'plan',
      definition: JSON.stringify({ steps: [{ key: 'a', title: 'A {{what}}' }] }),
    });

    await call('bob', 'put_document', { name: 'plan', body: 'words' });
    await call('cleo', 'put_document', { name: 'plan', body: 'other words' });
    await call('cleo', 'get_document', { name: 'plan' });
    await call('cleo', 'list_documents');

    // Looks, and the server itself.
    await get('/api/views', 'operator');
    const params: Record<string, string> = { agent: '?name=bob', thread: `?thread_id=${sent.thread_id}`, task: `?task_id=${one}` };
    for (const { name } of views) await get(`/api/views/${name}${params[name] ?? ''}`, 'operator', `/api/views/${name}`);
    await get('/api/views/agents', 'bob');
    await get('/api/views/agents?limit=0', 'operator', '/api/views/agents');
    await get('/api/views/agents');
    for (const path of ['/livez', '/readyz', '/version', '/openapi.json']) await get(path);
    await get('/readyz', 'operator');
    await get('/metrics', 'bob');
    const stream = await ask(url, '/events?after=0', { token: secrets.operator });
    hold('/events', 'GET', stream);
    const [, event = '{}'] = /^data: (.*)$/m.exec(stream.text) ?? [];
    const validate = ajv.compile({ $ref: 'openapi#/components/schemas/Event' });
    expect([validate(JSON.parse(event)), validate.errors]).toEqual([true, null]);
    await get('/events', 'bob');
    hold('/enrol', 'POST', await ask(url, '/enrol', { method: 'POST', token: 'wrong' }));
    const served = await ask(url, '/openapi.json');
    expect(JSON.parse(served.text)).toEqual(JSON.parse(JSON.stringify(document)));
  }, 120_000);

  it.each(tools.map(({ name }) => name))('of %s', (name) => expect(succeeded).toContain(name));
});
