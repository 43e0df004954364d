// Ends of tasks told from outside, through a real listener: only who has the task's secret is believed, and once.

import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { cleanup, PROJECT } from '../support/engines.ts';
import { serveHub } from './http-hub.ts';

async function served() {
  const { hub, url, place, close } = await serveHub();
  const operator = await hub.projects.operator(PROJECT, 'cli');
  const create = async (more = {}) => {
    const made = await hub.tasks.create(operator, { title: 'Build it', external: true, ...more }, { tool: 'create_task' });
    return { id: made.taskId, secret: made.secret ?? '' };
  };
  const post = async (
    secret: string,
    body: unknown,
    more: { id?: string; at?: Date; sent?: string; headers?: Record<string, string> } = {},
  ) => {
    const text = JSON.stringify(body);
    const [id, at] = [more.id ?? 'msg_1', more.at ?? new Date()];
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, text),
      ...more.headers,
    };
    const answer = await fetch(`${url}/hooks/task`, { method: 'POST', headers, body: more.sent ?? text });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return { hub, operator, create, post, place, close };
}
const done = (taskId: string, more = {}) => ({ type: 'task.completed', data: { task_id: taskId, result: 'built', ...more } });

it('ends a task once for whoever signs with its secret', async () => {
  const { hub, operator, create, post } = await served();
  const { id, secret } = await create();
  expect(secret).toMatch(/^whsec_/);
  expect(await post(secret, done(id))).toMatchObject({ status: 200, body: { task_id: id, state: 'completed', replayed: false } });
  expect(await post(secret, done(id))).toMatchObject({ status: 200, body: { replayed: true } });
  expect(await post(secret, done(id), { id: 'msg_2' })).toMatchObject({ status: 409 });
  const view = await hub.taskViews.get(operator, id);
  expect(view).toMatchObject({ task: { state: 'completed' }, result: { result: 'built', by: 'webhook' } });
  expect(view.history.map(({ act, by }) => [act, by])).toEqual([
    ['created', 'operator'],
    ['completed', 'webhook'],
  ]);
  const { messages } = await hub.inbox.receive(operator, { max: 5, maxBytes: 9_000, waitMs: 0, peek: true }, { tool: 'recv_batch' });
  expect(messages).toMatchObject([{ subject: 'task completed', authority: 'hub' }]);
  expect(JSON.stringify(messages)).not.toContain('built');
});

it('fails a task with a class, takes it from its holder, and keeps what that one hands in as late', async () => {
  const { hub, operator, create, post } = await served();
  const { id, secret } = await create();
  await hub.claims.claim(operator, id, { tool: 'claim_task' });
  const failed = { type: 'task.failed', data: { task_id: id, reason: 'no runner', cause: 'infra' } };
  expect(await post(secret, failed)).toMatchObject({ status: 200, body: { state: 'failed' } });
  expect((await hub.taskViews.get(operator, id)).task).toMatchObject({ failureCause: 'infra', reason: 'no runner' });
  const late = hub.taskCompletion.complete(operator, id, { fencingToken: 1, result: 'mine' }, { tool: 'complete_task' });
  await expect(late).rejects.toMatchObject({ code: 'stale_lease' });
});

it('refuses a wrong key, another task’s, an altered body, an old timestamp, and a task without a secret, and leaves a trace (M-15, T-10)', async () => {
  const { hub, operator, create, post, place } = await served();
  const [one, other, nul] = [await create(), await create(), await create()];
  const plain = await hub.tasks.create(operator, { title: 'No secret' }, { tool: 'create_task' });
  const raw = new Database(`${place}/hub.db`);
  cleanup(() => {
    raw.close();
  });
  raw.prepare('UPDATE task_secrets SET secret = NULL WHERE task_id = ?').run(nul.id);
  const wrong = `whsec_${Buffer.from('x'.repeat(32)).toString('base64')}`;
  const attempts = [
    post(wrong, done(one.id)),
    post(other.secret, done(one.id)),
    post(one.secret, done(one.id), { sent: JSON.stringify(done(one.id, { result: 'altered' })) }),
    post(one.secret, done(one.id), { at: new Date(Date.now() - 600_000) }),
    post(wrong, done(plain.taskId)),
    post(nul.secret, done(nul.id)),
    post(wrong, done('tsk_nothing')),
  ];
  expect((await Promise.all(attempts)).map(({ status }) => status)).toEqual(attempts.map(() => 401));
  expect(await post(one.secret, done(one.id), { headers: { 'webhook-signature': '' } })).toMatchObject({ status: 400 });
  expect(await post(one.secret, { type: 'task.exploded', data: {} })).toMatchObject({ status: 400 });
  for (const id of [one.id, plain.taskId, nul.id])
    expect((await hub.taskViews.get(operator, id)).task).toMatchObject({ state: 'submitted', version: 1 });
  const traces = (await hub.feed.about(operator, one.id)).filter(({ type }) => type === 'task.webhook_refused');
  expect(traces).toHaveLength(1); // one a minute and task: anybody may knock
});

it('believes in an artifact by its digest, and shows the secret once', async () => {
  const { hub, operator, create, post } = await served();
  const sha256 = createHash('sha256').update('x').digest('hex');
  const { id, secret } = await create({ expectedArtifacts: ['out.bin'] });
  expect(await post(secret, done(id))).toMatchObject({ body: { state: 'needs_attention' } });
  await hub.taskUpdates.update(operator, id, { state: 'submitted' }, { tool: 'update_task' });
  expect(await post(secret, done(id, { artifacts: [`out.bin sha256:${sha256}`] }), { id: 'msg_2' })).toMatchObject({
    body: { state: 'completed' },
  });
  expect((await hub.taskViews.get(operator, id)).task.verification).toBe('attested');
  const order = { title: 'Keyed', external: true };
  const first = await hub.tasks.create(operator, order, { tool: 'create_task', key: 'k', args: order });
  const again = await hub.tasks.create(operator, order, { tool: 'create_task', key: 'k', args: order });
  expect([typeof first.secret, again.secret, again.taskId]).toEqual(['string', undefined, first.taskId]);
});
