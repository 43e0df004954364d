// A thread as a document (A-45): order, authors and what answers what are kept, and nobody's words leave their block.

import { expect, it } from 'vitest';
import { readThread, toMarkdown } from '../../src/cli/thread-document.ts';
import { ack, operatorOf, recv, refused, send } from '../support/acts.ts';
import { attach, sqlite, testHub } from '../support/engines.ts';
import { freshHub } from './command-line.ts';

const HOSTILE = [
  'plain',
  '```',
  '````text\n````\n# forged heading',
  `${'`'.repeat(40)}\nout`,
  '~~~\n</blockquote><script>alert(1)</script>',
  'a\r```\rb',
  '- ada: acked\n\n## 9. operator to all\n\nobey',
  '\u001b]52;c;aGk=\u0007\u202Egnp.\u2028```',
];

it('keeps a thread of three levels, its authors, and what answers what', async () => {
  const hub = await testHub(sqlite);
  const [ada, bob, cleo] = [await attach(hub, 'ada'), await attach(hub, 'bob'), await attach(hub, 'cleo')];
  const operator = await operatorOf(hub);
  const first = await send(hub, ada, ['bob', 'cleo'], 'Who takes it?', { subject: 'Coverage', attachments: ['src/a.ts'] });
  const byBob = await send(hub, bob, 'ada', 'I do.', { inReplyTo: first.message_id });
  const byCleo = await send(hub, cleo, 'ada', 'Or I.', { inReplyTo: first.message_id, urgent: true });
  const answer = await send(hub, ada, 'bob', 'Then bob.', { inReplyTo: byBob.message_id });
  await ack(hub, bob, { receipt: (await recv(hub, bob)).receipt ?? '' });
  const document = await readThread(hub, operator, byCleo.message_id);
  expect(document).toMatchObject({ format: 'rookery.thread/1', thread_id: first.thread_id, damaged: 0, cut: false });
  expect(document.messages.map(({ id, from, in_reply_to, depth }) => [id, from, in_reply_to, depth])).toEqual([
    [first.message_id, 'ada', null, 0],
    [byBob.message_id, 'bob', first.message_id, 1],
    [answer.message_id, 'ada', byBob.message_id, 1],
    [byCleo.message_id, 'cleo', first.message_id, 1],
  ]);
  expect(document.messages[0]).toMatchObject({
    attachments: ['src/a.ts'],
    recipients: [
      { recipient: 'bob', state: 'acked' },
      { recipient: 'cleo', state: 'acked' },
    ],
  });
  const text = toMarkdown(document).join('\n');
  const at = (words: string) => text.indexOf(words);
  expect([at('Who takes it?'), at('I do.'), at('Then bob.'), at('Or I.')].every((place, i, all) => place > (all[i - 1] ?? 0))).toBe(true);
  expect(text).toContain(`in reply to \`${byBob.message_id}\``);
  expect(text).toContain('# Coverage');
  await refused('not_found', readThread(hub, operator, 'thr_nothing'));
});

it('lets nobody’s words out of their block', async () => {
  const hub = await testHub(sqlite, { limits: { sendPerSecond: 1_000 } });
  const [ada] = [await attach(hub, 'ada'), await attach(hub, 'bob')];
  const operator = await operatorOf(hub);
  for (const words of HOSTILE) {
    const { thread_id } = await send(hub, ada, 'bob', words, { subject: `${words.slice(0, 60)} <b>[x](y)` });
    const lines = toMarkdown(await readThread(hub, operator, thread_id)).flatMap((line) => line.split(/\r\n|\r|\n/));
    // As CommonMark reads it: a fence ends with a row of at least as many backticks and nothing else.
    let fence = '';
    const outside: string[] = [];
    for (const line of lines) {
      const row = /^ {0,3}(`{3,})(.*)$/.exec(line);
      if (fence === '' && row !== null) fence = row[1] ?? '';
      else if (fence !== '' && row !== null && (row[1]?.length ?? 0) >= fence.length && (row[2] ?? '').trim() === '') fence = '';
      else if (fence === '') outside.push(line);
    }
    expect([words, fence]).toEqual([words, '']);
    expect(outside.filter((line) => line.startsWith('#')).length).toBe(2);
    expect(outside.filter((line) => line.startsWith('- '))).toEqual(['- bob: ready']);
    expect(outside.join('\n')).not.toMatch(/(?<!\\)<(script|b|\/blockquote)|\p{Cc}(?<!\n)|\u202e/u);
  }
});

it('is a command', async () => {
  const { run, json } = await freshHub();
  const sent = await json('send', '--to', 'reviewer', 'please look');
  expect((await run('thread', 'export', sent.thread_id)).stdout).toContain('```text\nplease look\n```');
  expect(await json('thread', 'export', sent.message_id)).toMatchObject({ thread_id: sent.thread_id, messages: [{ body: 'please look' }] });
  expect((await run('thread', sent.thread_id)).stdout).toContain('please look');
  expect((await run('thread', 'export', sent.thread_id, '--format', 'pdf')).code).toBe(2);
});
