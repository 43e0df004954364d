// rookery inbox, thread, dead and requeue: the operator looks into anybody's mail and repairs it. Looking leases and acknowledges nothing.

import type { Command } from 'commander';
import { requeueDead } from '../tools/requeue-dead.ts';
import { renderDelivery } from '../views/overview.ts';
import { type ThreadReply, thread } from '../views/thread.ts';
import { type ThreadsReply, threads } from '../views/threads.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, addGroup, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { addList, definedOf, type ListFlags, ofFirst, toLimit } from './listing.ts';
import { printSafeBlock, printSafeLine } from './print-safe.ts';
import { renderThings } from './render.ts';

const PAGE = { usual: 50, most: 200 };

type Delivery = ReturnType<typeof renderDelivery>;
type Flags = CommonFlags & { limit?: string };

export function registerMail(program: Command): void {
  addCommand(program, 'inbox <name>', 'what waits for an agent; it is not taken', 'rookery inbox reviewer')
    .option('--limit <number>', `at most so many, ${PAGE.usual} by default`)
    .action(async (name: string, flags: Flags) => {
      const limit = toLimit(flags.limit, PAGE);
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        const messages = (await hub.overview.inbox(caller, name, limit)).map(renderDelivery);
        if (flags.json === true) return terminal.json({ agent: name, messages });
        const rows = messages.map(({ message_id, from, state, attempts, accepted_at, subject, excerpt }) => ({
          message: message_id,
          from,
          state: attempts > 0 ? `${state} (attempt ${attempts})` : state,
          accepted: accepted_at,
          words: subject === '' ? excerpt : subject,
        }));
        for (const line of renderThings(rows)) terminal.line(line);
        const first = ofFirst(rows.length, flags, PAGE);
        if (first !== undefined) terminal.line(`\n${first}`);
      });
    });

  const threadCommand = addGroup(program, 'thread', 'a conversation: to read, or as a document', 'rookery thread thr_…');
  addCommand(
    threadCommand,
    'export <id>',
    'the whole of a thread with what became of every message',
    'rookery thread export thr_… --format md > thread.md',
  )
    .option('--format <format>', 'md or json', 'md')
    .action(async (id: string, flags: CommonFlags & { format: string }) => {
      const format = flags.json === true ? 'json' : flags.format.replace('markdown', 'md');
      if (format !== 'md' && format !== 'json') throw usage('--format must be md or json.', 'For example: --format md');
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        const { readThread, toMarkdown } = await import('./thread-document.ts');
        const document = await readThread(hub, caller, id);
        if (format === 'json') return terminal.json(document);
        for (const line of toMarkdown(document)) terminal.line(line);
      });
    });
  addCommand(
    threadCommand,
    'show <id>',
    'a thread, by its id or that of one of its messages; `show` may be left out',
    'rookery thread msg_…',
    true,
  )
    .option('--limit <number>', `at most so many messages, ${PAGE.usual} by default`)
    .option('--before <seq>', 'earlier ones: first_seq of the page before')
    .action(showThread);

  addList<ListFlags & { before?: string; search?: string }, ThreadsReply['threads'][number], ThreadsReply>(
    program,
    'threads',
    { description: 'the conversations of the project by their newest message', example: 'rookery threads --search "port 7420"' },
    {
      of: 'threads',
      read: ({ look }, { limit, before, search: q }) => look(threads, definedOf({ limit, before, q })),
      cells: ({ thread_id, messages, open, dead, from, at, title, excerpt }) => ({
        thread: thread_id,
        ...{ messages, open, dead, from, newest: at, words: title === '' ? excerpt : title },
      }),
      below: ({ next }, rows) => [
        next === null ? undefined : `Older ones: repeat it with --before ${next}.`,
        rows.length > 0 ? 'rookery thread THREAD shows one.' : undefined,
      ],
    },
  )
    .option('--search <words>', 'only messages that hold these words')
    .option('--before <seq>', 'older ones: next of the page before')
    .option('--limit <number>', `at most so many, ${PAGE.usual} by default`);

  addList<ListFlags, Delivery, { messages: Delivery[] }>(
    program,
    'dead',
    { description: 'dead letters: what was set aside, and why', example: 'rookery dead' },
    {
      of: 'messages',
      read: async ({ hub, caller }, { limit }) => ({
        messages: (await hub.overview.dead(caller, toLimit(limit, PAGE))).map(renderDelivery),
      }),
      page: PAGE,
      cells: ({ message_id, from, to, attempts, closed_at, reason }) => ({
        message: message_id,
        ...{ from, to, attempts, since: closed_at, reason },
      }),
      below: (_reply, rows) => [rows.length > 0 ? 'rookery requeue MESSAGE --to NAME puts one back.' : undefined],
    },
  );

  addCommand(program, 'requeue <message>', 'put a dead letter back into its inbox', 'rookery requeue msg_… --to reviewer')
    .requiredOption('--to <name>', 'the recipient')
    .action(async (message: string, flags: CommonFlags & { to: string }) => {
      await asOperator(flags, async ({ call, terminal }) => {
        const result = await call(requeueDead, { message_id: message, to: flags.to });
        if (flags.json === true) return terminal.json(result);
        terminal.line(`${message} is ready again for ${flags.to}.`);
      });
    });
}

async function showThread(id: string, flags: Flags & { before?: string }): Promise<void> {
  const limit = toLimit(flags.limit, PAGE);
  await asOperator(flags, async ({ look, terminal }) => {
    const which = id.startsWith('msg_') ? { message_id: id } : { thread_id: id };
    const shown = await look(thread, { ...which, limit, ...definedOf({ before_seq: flags.before }) });
    if (flags.json === true) return terminal.json(shown);
    terminal.line(
      `${terminal.paint('bold', shown.thread_id)}${shown.paused === null ? '' : `  paused: ${printSafeLine(shown.paused.reason)}`}\n`,
    );
    for (const message of shown.messages) for (const line of lines(message)) terminal.line(line);
    if (shown.has_more) terminal.line(`Earlier ones: rookery thread ${shown.thread_id} --before ${shown.first_seq}`);
    if (shown.damaged > 0) terminal.line(`${shown.damaged} damaged messages are left out: rookery verify says more.`);
  });
}

/** A message with what is known of it for each of its recipients; its words are marked as another's. */
function lines({ depth, ...message }: ThreadReply['messages'][number]): string[] {
  const margin = '  '.repeat(Math.min(depth, 8));
  const head = [message.id, message.at, `${message.from} -> ${message.to}`, message.kind, ...(message.urgent ? ['urgent'] : [])];
  const truth = message.recipients.map(({ recipient, state, why }) => printSafeLine(`${margin}${recipient}: ${state}. ${why ?? ''}`));
  return [
    printSafeLine(`${margin}${head.join('  ')}${message.subject === '' ? '' : `  ${message.subject}`}`),
    ...printSafeBlock(message.body)
      .split('\n')
      .map((line) => `${margin}${line}`),
    ...(message.whole ? [] : [`${margin}(cut; rookery get-message ${message.id} gives the rest)`]),
    ...truth,
    '',
  ];
}
