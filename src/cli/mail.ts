// rookery inbox, thread, dead and requeue: the operator looks into anybody's mail and repairs it. Looking leases and acknowledges nothing.

import type { Command } from 'commander';
import { getThread } from '../tools/get-thread.ts';
import { requeueDead } from '../tools/requeue-dead.ts';
import { renderDelivery } from '../views/overview.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { renderResult, renderThings } from './render.ts';

const ROWS = 50;

type Flags = CommonFlags & { limit?: string };

export function registerMail(program: Command): void {
  addCommand(program, 'inbox <name>', 'what waits for an agent; it is not taken', 'rookery inbox reviewer')
    .option('--limit <number>', `at most so many, ${ROWS} by default`)
    .action(async (name: string, flags: Flags) => {
      const limit = toLimit(flags.limit);
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
        if (rows.length === limit) terminal.line(`\nThe first ${limit}; --limit shows more, up to 200.`);
      });
    });

  const thread = program.command('thread').description('a conversation: to read, or as a document');
  addCommand(
    thread,
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
    thread,
    'show <id>',
    'a thread, by its id or that of one of its messages; `show` may be left out',
    'rookery thread msg_…',
    true,
  )
    .option('--limit <number>', `at most so many messages, ${ROWS} by default`)
    .action(async (id: string, flags: Flags) => {
      const limit = toLimit(flags.limit);
      await asOperator(flags, async ({ call, terminal }) => {
        const thread = await call(getThread, { ...(id.startsWith('msg_') ? { message_id: id } : { thread_id: id }), limit });
        if (flags.json === true) return terminal.json(thread);
        for (const line of renderResult(thread)) terminal.line(line);
      });
    });

  addCommand(program, 'dead', 'dead letters: what was set aside, and why', 'rookery dead')
    .option('--limit <number>', `at most so many, ${ROWS} by default`)
    .action(async (flags: Flags) => {
      const limit = toLimit(flags.limit);
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        const messages = (await hub.overview.dead(caller, limit)).map(renderDelivery);
        if (flags.json === true) return terminal.json({ messages });
        const rows = messages.map(({ message_id, from, to, attempts, closed_at, reason }) => ({
          message: message_id,
          from,
          to,
          attempts,
          since: closed_at,
          reason,
        }));
        for (const line of renderThings(rows)) terminal.line(line);
        if (rows.length > 0) terminal.line('\nrookery requeue MESSAGE --to NAME puts one back.');
      });
    });

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

function toLimit(given: string | undefined): number {
  const limit = given === undefined ? ROWS : Number(given);
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) throw usage('--limit must be 1 to 200.', 'For example: --limit 20');
  return limit;
}
