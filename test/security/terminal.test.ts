// Every text that somebody else can write, with everything in it that a terminal obeys, and then every command that could print it: nothing active
// comes out, for people and as JSON, in documents, in completion, and in the words of errors.

import { afterEach, expect, it, vi } from 'vitest';
import { everyCommand, Lab } from './lab.ts';
import { ACTIVE, TERMINAL_CORPUS } from './terminal-corpus.ts';

afterEach(() => vi.restoreAllMocks());

it('no command prints what a terminal obeys', { timeout: 300_000 }, async () => {
  const lab = new Lab();
  /** Three of the corpus in every text, each text another three, without NUL, which the hub refuses; and a mark by which a text is known. */
  let next = 0;
  const nasty = () =>
    `MARK ${Array.from({ length: 3 }, () => TERMINAL_CORPUS[next++ % TERMINAL_CORPUS.length]).join(' ')}`
      .replaceAll('\u0000', '')
      .slice(0, 190);
  const call = async (tool: string, args: object, as = 'ada') => {
    const out = await lab.run('call', tool, JSON.stringify(args), '--as-agent', as);
    if (!out.includes('{')) throw new Error(`${tool}: ${out}`);
    return JSON.parse(out.slice(out.indexOf('{'))) as Record<string, string>;
  };
  for (const name of ['ada', 'operator'])
    await lab.run(
      'token',
      'create',
      ...(name === 'operator' ? ['--operator'] : ['--agent', name, '--role', 'manager']),
      '--label',
      nasty(),
    );
  for (const _ of TERMINAL_CORPUS) await call('send', { to: 'operator', subject: nasty(), body: nasty() });
  const sent = await call('send', { to: 'ada', subject: nasty(), body: nasty(), attachments: ['a b.md'] });
  const asked = await call('ask', { to: 'operator', question: nasty(), options: [nasty(), nasty()], context: nasty() });
  const late = await call('remind', { message: nasty(), in_seconds: 3_600 });
  const wish = await call('request_approval', { action: `deploy ${nasty()}`, risk: 'high', reason: nasty() });
  const task = await call('create_task', { title: nasty(), body: nasty(), assignee: 'ada', labels: ['x'] });
  const { fencing_token } = await call('claim_task', { task_id: task.task_id });
  await call('update_task', { task_id: task.task_id, fencing_token, note: nasty(), progress: 3 });
  await call('save_checkpoint', { current_task: nasty(), decisions: [nasty()], blockers: [nasty()], git_state: nasty(), note: nasty() });
  await call('put_document', { name: 'notes', body: nasty() });
  await call('join', { status: nasty(), description: nasty(), model: nasty().slice(0, 60) });
  await call('reserve', { names: ['lock'], reason: nasty() });
  await lab.run('config', 'set', 'sendPerMinute', nasty());
  for (const words of [nasty(), nasty()])
    for (const line of [
      ['inbox', words],
      ['thread', words],
      ['send', '--to', words, 'x'],
      ['approve', words],
      ['config', 'show', words],
      [words],
    ])
      await lab.run(...line);
  await everyCommand(lab, {
    message: sent.message_id ?? '',
    ask: asked.ask_id ?? '',
    reminder: late.reminder_id ?? '',
    approval: wish.approval_id ?? '',
    task: task.task_id ?? '',
  });
  const printed = lab.outputs.filter(({ where }) => where.startsWith('rookery'));
  const active = printed.flatMap(({ where, text }) => {
    const found = ACTIVE.exec(text.replaceAll(where.includes('completion') ? /[\n\t]/g : '\n', ''));
    return found === null ? [] : [`U+${found[0].codePointAt(0)?.toString(16)} in: ${JSON.stringify(where).slice(0, 80)}`];
  });
  expect(active).toEqual([]);
  const showed = printed.filter(({ text }) => text.includes('MARK')).map(({ where }) => where.split(' ')[1]);
  expect(new Set(showed).size).toBeGreaterThan(15);
});
