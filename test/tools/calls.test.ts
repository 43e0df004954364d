// Calling a tool, whatever the front door: what is refused and how, and what every answer carries. One engine is enough here.

import { expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/hub/errors.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { callTool, type Reply } from '../../src/tools/call.ts';
import { Connection } from '../../src/tools/connection.ts';
import { findTool, tools } from '../../src/tools/index.ts';
import { defineTool } from '../../src/tools/tool.ts';
import { until } from '../support/acts.ts';
import { OTHER_PROJECT, PROJECT, sqlite, testHub } from '../support/engines.ts';

function connect(hub: Hub, name: string, project = PROJECT): Connection {
  const client = { name: 'test', version: '1' };
  return Connection.attaching(hub, { project, door: 'stdio', client, root: project.root, name }, ['core', 'manage']);
}

function call(hub: Hub, connection: Connection, name: string, input: unknown = {}, signal?: AbortSignal): Promise<Reply> {
  const tool = findTool(name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return callTool(hub, connection, tool, input, { signal });
}

async function result(reply: Promise<Reply>): Promise<Record<string, unknown>> {
  const answer = await reply;
  if (!answer.ok) throw new Error(answer.text);
  return answer.result;
}

async function failure(reply: Promise<Reply>) {
  const answer = await reply;
  if (answer.ok) throw new Error(`accepted: ${answer.text}`);
  expect(ERROR_CODES).toHaveProperty(answer.error.code);
  expect(answer.text).not.toMatch(/\bat .+:\d+:\d+|node_modules|src\//);
  expect(answer.error.message.length).toBeGreaterThan(10);
  return answer.error;
}

async function pair() {
  const hub = await testHub(sqlite);
  const [alice, bob] = [connect(hub, 'alice'), connect(hub, 'bob')];
  await result(call(hub, alice, 'whoami'));
  await result(call(hub, bob, 'whoami'));
  return { hub, alice, bob };
}

it('carries the inbox in every answer, and validates against its own output schema', async () => {
  const { hub, alice, bob } = await pair();
  const sent = await result(
    call(hub, alice, 'send', { to: 'bob', body: 'hi', kind: 'request', priority: 'urgent', attachments: ['a.md'] }),
  );
  const answers: [string, Record<string, unknown>][] = [['send', sent]];
  answers.push(['recv_batch', await result(call(hub, bob, 'recv_batch', { peek: true }))]);
  const batch = await result(call(hub, bob, 'recv_batch'));
  answers.push(['recv_batch', batch], ['ack', await result(call(hub, bob, 'ack', { receipt: batch.receipt }))]);
  for (const name of ['message_status', 'get_message', 'get_thread'])
    answers.push([name, await result(call(hub, alice, name, { message_id: sent.message_id }))]);
  for (const name of ['whoami', 'join', 'list_agents']) answers.push([name, await result(call(hub, bob, name))]);
  for (const [name, answer] of answers) {
    expect([name, findTool(name)?.output.strict().safeParse(answer).error?.message]).toEqual([name, undefined]);
    expect(answer.inbox).toMatchObject({ unread: expect.any(Number) });
  }
  expect(answers[1]?.[1].inbox).toEqual({ unread: 1, urgent: 1, owed: 0 });
  expect(answers[2]?.[1].inbox).toEqual({ unread: 0, urgent: 0, owed: 1 });
  expect(JSON.stringify(sent)).not.toContain('"hi"');
});

it('marks what is shown again, and hints at what to do', async () => {
  const { hub, alice, bob } = await pair();
  await result(call(hub, alice, 'send', { to: '*', body: 'one' }));
  const first = await result(call(hub, bob, 'recv_batch'));
  expect(first.messages).toMatchObject([
    { redelivered: false, attempt: 1, broadcast: true, hint: expect.stringContaining('may not need any action') },
  ]);
  for (let i = 0; i < 4; i++) await result(call(hub, alice, 'send', { to: 'bob', body: `m${i}` }));
  const second = await result(call(hub, bob, 'recv_batch', { max: 1 }));
  expect(second).toMatchObject({ remaining: 4, messages: [{ redelivered: true, attempt: 2, first_shown_at: expect.any(String) }] });
  expect(second.hint).toContain('+4 more queued; consider draining');
});

it('clamps counts and waits, and says so', async () => {
  const { hub, alice, bob } = await pair();
  for (let i = 0; i < 40; i++) await result(call(hub, alice, 'send', { to: 'bob', body: `m${i}` }));
  expect((await result(call(hub, bob, 'recv_batch', { max: 100 }))).messages).toHaveLength(32);
  const waiting = call(hub, alice, 'recv_batch', { wait_seconds: 600 });
  await until(() => hub.fake.sleeping > 1);
  hub.fake.advance(50_000);
  const waited = await result(waiting);
  expect([waited.reason, waited.note]).toEqual(['timeout', expect.stringContaining('cut to 50')]);
});

it('refuses unknown fields, and tells who tries to say who it is', async () => {
  const { hub, alice } = await pair();
  for (const tool of tools) {
    const error = await failure(call(hub, alice, tool.name, { nonsense: 1 }));
    expect([tool.name, error.code]).toEqual([tool.name, 'invalid_input']);
  }
  for (const field of ['from', 'sender', 'agent_name']) {
    const error = await failure(call(hub, alice, 'send', { to: 'bob', body: 'x', [field]: 'operator' }));
    expect(error.message).toContain('Who you are comes from your session');
  }
});

it('names the field, the limit and the remedy of what does not fit', async () => {
  const { hub, alice } = await pair();
  for (const [name, input, field] of [
    ['send', { to: 'bob' }, 'body'],
    ['send', { to: 'bob', body: 7 }, 'body'],
    ['send', { body: 'x' }, 'to'],
    ['send', { to: 'bob', body: 'x', kind: 'order' }, 'kind'],
    ['send', { to: 'bob', body: 'x', idempotency_key: '' }, 'idempotency_key'],
    ['send', { to: 'bob', body: 'x', idempotency_key: 'k'.repeat(129) }, 'idempotency_key'],
    ['recv_batch', { max: -1 }, 'max'],
    ['recv_batch', { max: 1.5 }, 'max'],
    ['recv_batch', { wait_seconds: -1 }, 'wait_seconds'],
    ['ack', { ids: [] }, 'ids'],
    ['get_thread', { limit: 1_000, thread_id: 'x' }, 'limit'],
    ['join', { name: 'a b' }, 'name'],
    ['get_message', {}, 'message_id'],
  ] as const) {
    const error = await failure(call(hub, alice, name, input));
    expect([name, error.code, error.message.startsWith(field)]).toEqual([name, 'invalid_input', true]);
    expect(error.hint).toBeDefined();
  }
  for (const input of [null, [], 'text', 7]) expect((await failure(call(hub, alice, 'send', input))).code).toBe('invalid_input');
});

it('refuses a NUL wherever it hides', async () => {
  const { hub, alice } = await pair();
  for (const [name, input] of [
    ['send', { to: 'bob\0', body: 'x' }],
    ['send', { to: 'bob', body: 'x', idempotency_key: 'k\0' }],
    ['join', { status: 'a\0b' }],
    ['join', { capabilities: ['a\0'] }],
    ['recv_batch', { ack: 'rcp_\0' }],
  ] as const)
    expect((await failure(call(hub, alice, name, input))).code).toBe('invalid_input');
});

it('shows a defect as a reference, and never the words of it', async () => {
  const { hub, alice } = await pair();
  const broken = defineTool({
    name: 'broken',
    title: 'Broken',
    description: 'Fails.',
    access: 'read',
    toolset: 'core',
    input: () => ({}),
    output: () => ({}),
    run: async () => {
      throw new Error('secret detail of /etc/passwd');
    },
  });
  const defects: unknown[] = [];
  const reply = await callTool(hub, alice, broken, {}, { onDefect: (reference, error) => defects.push([reference, error]) });
  expect(reply.text).not.toContain('secret detail');
  expect(reply).toMatchObject({ ok: false, error: { code: 'internal', message: expect.stringMatching(/reference [0-9a-f]{8}/) } });
  expect(defects).toHaveLength(1);
});

it('answers not_found or stale_receipt to another project for every tool that takes an id (C16)', async () => {
  const { hub, alice, bob } = await pair();
  const mallory = connect(hub, 'mallory', OTHER_PROJECT);
  const sent = await result(call(hub, alice, 'send', { to: 'bob', body: 'secret words' }));
  const batch = await result(call(hub, bob, 'recv_batch'));
  const id = sent.message_id;
  const asked = await result(call(hub, alice, 'ask', { to: 'bob', question: 'secret words?' }));
  const reminder = await result(call(hub, alice, 'remind', { message: 'secret words', in_seconds: 60 }));
  await result(call(hub, alice, 'save_checkpoint', { current_task: 'secret words' }));
  await result(call(hub, alice, 'put_document', { name: 'notes', body: 'secret words' }));
  const reservations = await result(call(hub, alice, 'reserve', { names: ['lock'], reason: 'secret words' }));
  const reserved = (reservations.reservations as { id: string }[])[0]?.id;
  const request = { action: 'secret words', risk: 'low' };
  const approval = await result(call(hub, alice, 'request_approval', request));
  const { task_id: task } = await result(call(hub, alice, 'create_task', { title: 'secret words', assignee: 'bob' }));
  const matrix: Record<string, Record<string, unknown>[]> = {
    whoami: [],
    join: [{ name: 'alice', child_of_me: true }],
    list_agents: [{ wait_for: ['alice'] }],
    send: [
      { to: 'alice', body: 'x' },
      { to: 'mallory', body: 'x', in_reply_to: id },
    ],
    recv_batch: [{ ack: batch.receipt }, { from: 'alice' }, { thread_id: sent.thread_id }],
    ack: [{ receipt: batch.receipt }, { ids: [id] }, { nack_ids: [id] }],
    message_status: [{ message_id: id }],
    get_message: [{ message_id: id }],
    get_thread: [{ message_id: id }, { thread_id: sent.thread_id }],
    ask: [{ to: 'alice', question: 'x' }],
    answer: [
      { ask_id: asked.ask_id, answer: 'x' },
      { ask_id: asked.ask_id, decline: true },
    ],
    list_my_asks: [{}],
    cancel_ask: [{ ask_id: asked.ask_id }],
    get_open_threads: [{}, { scope: 'group' }],
    remind: [
      { message: 'x', in_seconds: 60, to: 'alice' },
      { message: 'x', in_seconds: 60, only_if: asked.ask_id },
    ],
    list_my_reminders: [{}],
    cancel_reminder: [{ reminder_id: reminder.reminder_id }],
    submit_review: [{ task_id: task, revision: 1, verdict: 'PASS' }],
    save_checkpoint: [{ current_task: 'x' }],
    load_checkpoint: [{}, { of: 'alice' }],
    put_document: [{ name: 'notes', body: 'x', expected_version: 1 }],
    get_document: [{ name: 'notes' }],
    list_documents: [{}],
    report_usage: [{ percent: 10 }],
    reserve: [{}, { names: ['lock'] }, { paths: ['lock'] }],
    release: [{ ids: ['other'] }, { ids: [reserved] }],
    request_approval: [request],
    decide_approval: [
      { approval_id: approval.approval_id, decision: 'approve' },
      { approval_id: approval.approval_id, decision: 'deny' },
    ],
    verify_approval: [
      { approval_id: approval.approval_id, action: 'secret words' },
      { approval_id: approval.approval_id, action: 'secret words', consume: true },
    ],
    create_task: [
      { title: 'x', depends_on: [task] },
      { title: 'x', parent_id: task },
      { title: 'x', assignee: 'alice' },
    ],
    claim_task: [{ task_id: task }, {}],
    update_task: [
      { task_id: task, fencing_token: 0 },
      { task_id: task, state: 'submitted' },
    ],
    complete_task: [{ task_id: task, fencing_token: 0, result: 'x' }],
    get_task: [{ task_id: task }],
    list_tasks: [{}, { worker: 'alice' }, { parent_id: task }],
    handoff_task: [{ task_id: task, to: 'mallory' }],
    wait_for_tasks: [{ task_ids: [task] }],
    cancel_task: [{ task_id: task }],
    create_agent: [{ name: 'alice' }],
    create_template: [{ name: 'x', definition: '{}' }],
    requeue_dead: [{ message_id: id, to: 'bob' }],
    retry_reminder: [{ reminder_id: reminder.reminder_id }],
    resume_thread: [{ thread_id: sent.thread_id }],
  };
  expect(Object.keys(matrix).sort()).toEqual(tools.map(({ name }) => name).sort());
  for (const [name, attempts] of Object.entries(matrix))
    for (const input of attempts) {
      const reply = await call(hub, mallory, name, input);
      const outcome = reply.ok ? 'ok' : reply.error.code;
      expect([
        name,
        [
          'ok',
          'not_found',
          'stale_receipt',
          'forbidden',
          ...(name === 'remind' ? ['invalid_input'] : []),
          ...(name === 'put_document' ? ['conflict'] : []),
        ].includes(outcome),
      ]).toEqual([name, true]);
      expect(reply.text).not.toContain('secret words');
      if (typeof id === 'string' && reply.ok) expect(reply.text.replaceAll(`"in_reply_to":"${id}"`, '')).not.toContain(id);
    }
  expect(await result(call(hub, alice, 'verify_approval', { approval_id: approval.approval_id, action: 'secret words' }))).toMatchObject({
    valid: true,
  });
  expect((await result(call(hub, alice, 'message_status', { message_id: id }))).recipients).toMatchObject([
    { state: 'leased', attempts: 1 },
  ]);
});

it('answers a parked receive when the hub closes', async () => {
  const { hub, bob } = await pair();
  const waiting = call(hub, bob, 'recv_batch', { wait_seconds: 25 });
  await until(() => hub.context.waiting.parked === 1 && hub.fake.sleeping > 0);
  const [answer] = await Promise.all([result(waiting), hub.close()]);
  expect(answer).toMatchObject({ messages: [], receipt: null, reason: 'shutting_down' });
});

it('records every call without its words', async () => {
  const { hub, alice } = await pair();
  await result(call(hub, alice, 'send', { to: 'bob', body: 'do not record me' }));
  await failure(call(hub, alice, 'send', { to: 'nobody', body: 'x' }));
  await hub.calls.flush();
  const rows = await hub.db.read((read) => read.all(`SELECT tool, code, door FROM tool_calls WHERE tool = 'send' ORDER BY id`));
  expect(rows).toEqual([
    { tool: 'send', code: 'ok', door: 'stdio' },
    { tool: 'send', code: 'not_found', door: 'stdio' },
  ]);
  expect(JSON.stringify(await hub.db.read((read) => read.all('SELECT * FROM tool_calls')))).not.toContain('record me');
});
