// What is owed, for the operator: asks, open threads and reminders, and the acts that end them. Each act is a tool's, with its authority.

import type { Command } from 'commander';
import { answer } from '../tools/answer.ts';
import { cancelAsk } from '../tools/cancel-ask.ts';
import { cancelReminder } from '../tools/cancel-reminder.ts';
import { cancelTask } from '../tools/cancel-task.ts';
import { getOpenThreads } from '../tools/get-open-threads.ts';
import { resumeThread } from '../tools/resume-thread.ts';
import { retryReminder } from '../tools/retry-reminder.ts';
import type { Tool } from '../tools/tool.ts';
import { type AsksReply, asks } from '../views/asks.ts';
import { type RemindersReply, reminders } from '../views/reminders.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { type ListFlags as AnyListFlags, addList, toLimit } from './listing.ts';

type ListFlags = AnyListFlags & { all?: boolean; mine?: boolean };
type AnswerFlags = CommonFlags & { decline?: boolean; reason?: string };

const PAGE = { usual: 100, most: 500 };

export function registerOwed(program: Command): void {
  registerLists(program);
  addCommand(program, 'answer <ask> [words...]', 'answer an ask that was put to you, or decline it', 'rookery answer ask_… "Use port 7420"')
    .option('--decline', 'decline it, with --reason')
    .option('--reason <text>', 'why you decline')
    .action(async (ask: string, words: string[], flags: AnswerFlags) => {
      const input = {
        ask_id: ask,
        ...(words.length === 0 ? {} : { answer: words.join(' ') }),
        ...(flags.decline === true ? { decline: true, reason: flags.reason } : {}),
      };
      await act(flags, answer, input, (result) =>
        result.late === true ? `Too late: the ask is ${result.state}; your answer is kept beside it.` : `The ask is ${result.state}.`,
      );
    });
  addCommand(program, 'cancel <id>', 'end an ask, a reminder or a task, whoever’s it is', 'rookery cancel rem_…').action(
    async (id: string, flags: CommonFlags) => {
      if (id.startsWith('ask_')) return await act(flags, cancelAsk, { ask_id: id }, () => 'Cancelled; asker and target are told.');
      if (id.startsWith('rem_')) return await act(flags, cancelReminder, { reminder_id: id }, () => 'Cancelled; it never fires.');
      if (id.startsWith('tsk_'))
        return await act(flags, cancelTask, { task_id: id }, () => 'Canceled, with everything open below it; whoever works on it is told.');
      throw usage(
        'The id must be that of an ask (ask_…), of a reminder (rem_…) or of a task (tsk_…).',
        'rookery asks, rookery reminders and rookery tasks list them.',
      );
    },
  );
  addCommand(program, 'retry <reminder>', 'try a parked reminder again at once', 'rookery retry rem_…').action(
    async (id: string, flags: CommonFlags) => {
      await act(flags, retryReminder, { reminder_id: id }, (result) =>
        result.retried === true ? 'It is tried again at once.' : `Nothing to retry: it is ${result.state}.`,
      );
    },
  );
  addCommand(program, 'resume <thread>', 'let a thread that was paused for going in circles go on', 'rookery resume thr_…').action(
    async (id: string, flags: CommonFlags) => {
      await act(flags, resumeThread, { thread_id: id }, () => 'The thread goes on; hops are counted anew.');
    },
  );
}

function registerLists(program: Command): void {
  addList<ListFlags, AsksReply['asks'][number], AsksReply>(
    program,
    'asks',
    { description: 'the open asks of the project; those put to you first', example: 'rookery asks --all' },
    {
      of: 'asks',
      read: ({ look }, { all, limit }) => look(asks, { state: all === true ? 'any' : 'open', limit: toLimit(limit, PAGE) }),
      page: PAGE,
      cells: ({ ask_id, state, from, to, deadline_at, question, options, answer: given }) => ({
        ask: ask_id,
        ...{ state, from, to, deadline: deadline_at, question, options: options.join(' | '), answer: given?.join('; ') ?? '' },
      }),
      below: (_reply, rows, { caller }) => [
        rows.some(({ to, state }) => to === caller.name && state === 'open')
          ? 'rookery answer ASK "..." answers one that was put to you.'
          : undefined,
      ],
    },
  ).option('--all', 'ended ones, too');
  addList<ListFlags, RemindersReply['reminders'][number], RemindersReply>(
    program,
    'reminders',
    { description: 'the reminders of the project, pending and parked', example: 'rookery reminders --all' },
    {
      of: 'reminders',
      read: ({ look }, { all, limit }) => look(reminders, { state: all === true ? 'any' : 'open', limit: toLimit(limit, PAGE) }),
      page: PAGE,
      cells: ({ reminder_id, state, owner, target, due_at, cron, runs, attempts, error, message }) => ({
        reminder: reminder_id,
        ...{ state, owner, for: target, due: due_at, cron: cron ?? '', runs, attempts, error: error ?? '', message },
      }),
      below: (_reply, rows) => [
        rows.some(({ state }) => state === 'parked') ? 'rookery retry REMINDER tries a parked one again.' : undefined,
      ],
    },
  ).option('--all', 'fired and cancelled ones, too');
  addList<ListFlags, Record<string, unknown>, Record<string, unknown>>(
    program,
    'open',
    { description: 'everything that is owed in the project: who owes whom what', example: 'rookery open --mine' },
    {
      of: 'threads',
      read: ({ call }, { mine }) => call(getOpenThreads, { scope: mine === true ? 'mine' : 'group' }),
      cells: (row) => row,
      below: ({ more }) => [
        typeof more === 'number' ? `${more} more are not shown: rookery asks, tasks, reminders and inbox NAME list each kind.` : undefined,
      ],
    },
  ).option('--mine', 'only what you owe or wait for');
}

/** One act through its tool, answered in a sentence. */
async function act(
  flags: CommonFlags,
  tool: Tool,
  input: Record<string, unknown>,
  say: (result: Record<string, unknown>) => string,
): Promise<void> {
  await asOperator(flags, async ({ call, terminal }) => {
    const result = await call(tool, input);
    if (flags.json === true) terminal.json(result);
    else terminal.line(say(result));
  });
}
