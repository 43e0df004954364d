// Tasks on the command line: what a person does and sees.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratch } from '../support/engines.ts';
import { freshHub, rookeryOn } from './command-line.ts';

it('hands out work, shows what becomes of it and why it does not move, and exports a job', async () => {
  const { home, run, json } = await freshHub();
  const job = (await json('task', 'create', 'Job')).task_id;
  const evil = 'Draw "]; click x \u001b[31m';
  const first = (await json('task', 'create', '--parent', job, '--body', 'line one\n# not a heading', evil)).task_id;
  const second = (await json('task', 'create', '--parent', job, '--after', `${first}:ignore`, '--need', 'typescript', 'Second')).task_id;
  const { tasks } = await json('tasks');
  expect(tasks.map((task: { id: string; why: string }) => [task.id, task.why])).toEqual([
    [second, `waits for ${first} (submitted)`],
    [first, expect.stringContaining('connected')],
    [job, 'waits for its 2 open children'],
  ]);
  expect((await run('task', second)).stdout).toMatch(/state +submitted: waits for/);
  const mermaid = (await run('task', 'graph', job)).stdout;
  expect(mermaid).toMatch(/^flowchart TD\n/);
  expect(mermaid.match(/\["[^"]*"\]/g)).toHaveLength(3);
  expect(mermaid).not.toContain('\u001b');
  expect((await run('task', 'graph', '--format', 'dot')).stdout).toContain(`"${first}" -> "${second}" [penwidth=2];`);
  await run('task', 'cancel', first, 'not', 'needed');
  expect((await json('task', first)).history.map((step: { act: string; note: string }) => [step.act, step.note])).toEqual([
    ['created', null],
    ['canceled', 'not needed'],
  ]);
  const exported = await json('job', 'export', job);
  expect(exported.tasks.map((task: { id: string; state: string }) => [task.id, task.state])).toEqual([
    [job, 'submitted'],
    [first, 'canceled'],
    [second, 'submitted'],
  ]);
  const markdown = (await run('job', 'export', job, '--format', 'markdown')).stdout;
  expect(markdown).toContain('\n> # not a heading\n');
  expect(markdown.match(/^#+ /gm)).toHaveLength(4);
  const { resourceSpans } = JSON.parse((await run('job', 'export', job, '--format', 'otlp')).stdout);
  const { spans } = resourceSpans[0].scopeSpans[0];
  expect(new Set(spans.map((span: { traceId: string }) => span.traceId)).size).toBe(1);
  const known = new Set(spans.map((span: { spanId: string }) => span.spanId));
  expect(spans.filter((span: { parentSpanId?: string }) => span.parentSpanId === undefined)).toHaveLength(1);
  for (const { parentSpanId } of spans) if (parentSpanId !== undefined) expect(known).toContain(parentSpanId);
  // What has ended can be looked into elsewhere.
  const file = join(home, 'job.json');
  writeFileSync(file, (await run('job', 'export', job)).stdout);
  const there = rookeryOn(scratch());
  expect(await there.run('job', 'import', file)).toMatchObject({ code: 2, stderr: expect.stringContaining('only a job that has ended') });
  await run('task', 'cancel', job);
  const { stdout } = await run('job', 'export', job);
  writeFileSync(file, stdout);
  expect(await there.json('job', 'import', file)).toEqual({ added: [job, first, second], known: [], registered: [], left_out: [] });
  expect((await there.run('job', 'export', job)).stdout).toBe(stdout);
  expect((await there.run('job', 'import', file)).stdout).toContain('3 here already');
  for (const [unreadable, code, why] of [
    [join(home, 'nothing.json'), 1, 'There is no file'],
    [home, 2, 'is a folder'],
  ] as const)
    for (const command of [['job', 'import'], ['import'], ['verify']])
      expect(await there.run(...command, unreadable)).toMatchObject({ code, stderr: expect.stringContaining(why) });
  expect(await run('task', 'tsk_nothing')).toMatchObject({ code: 1 });
  expect(await run('tasks', '--state', 'nonsense')).toMatchObject({ code: 2 });
});
