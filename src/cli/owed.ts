// What is owed, for the operator: asks, open threads and reminders, and the acts that end them. Each act is a tool's, with its authority.

import type { Command } from 'commander';
import { toIso } from '../hub/clock.ts';
import { answer } from '../tools/answer.ts';
import { cancelAsk } from '../tools/cancel-ask.ts';
import { cancelReminder } from '../tools/cancel-reminder.ts';
import { cancelTask } from '../tools/cancel-task.ts';
import { getOpenThreads } from '../tools/get-open-threads.ts';
import { resumeThread } from '../tools/resume-thread.ts';
import { retryReminder } from '../tools/retry-reminder.ts';
import type { Tool } from '../tools/tool.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { renderThings } from './render.ts';

const ROWS = 100;

type ListFlags = CommonFlags & { all?: boolean; mine?: boolean };
type AnswerFlags = CommonFlags & { decline?: boolean; reason?: string };

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
  addCommand(program, 'cancel <id>', 'cancel an ask or a reminder, whoever’s it is', 'rookery cancel rem_…').action(
    async (id: string, flags: CommonFlags) => {
      if (id.startsWith('ask_')) return await act(flags, cancelAsk, { ask_id: id }, () => 'Cancelled; asker and target are told.');
      if (id.startsWith('rem_')) return await act(flags, cancelReminder, { reminder_id: id }, () => 'Cancelled; it never fires.');
      if (id.startsWith('tsk_'))
        return await act(flags, cancelTask, { task_id: id }, () => 'Canceled, with everything open below it; whoever works on it is told.');
      throw usage('The id must be that of an ask (ask_…) or of a reminder (rem_…).', 'rookery asks and rookery reminders list them.');
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
  addCommand(program, 'asks', 'the open asks of the project; those put to you first', 'rookery asks --all')
    .option('--all', 'ended ones, too')
    .action(async (flags: ListFlags) => {
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        const asks = await hub.asks.list(caller, { state: flags.all === true ? null : 'open', everybody: true, limit: ROWS });
        const rows = asks
          .sort((a, b) => Number(b.targetId === caller.agentId) - Number(a.targetId === caller.agentId))
          .map((ask) => ({
            id: ask.id,
            state: ask.state,
            from: ask.asker,
            to: ask.target,
            deadline: toIso(ask.deadlineAt),
            question: ask.question,
            options: ask.options,
            answer: ask.answer,
          }));
        if (flags.json === true) return terminal.json({ asks: rows });
        for (const line of renderThings(
          rows.map(({ options, answer: given, ...row }) => ({ ...row, options: options.join(' | '), answer: given?.join('; ') ?? '' })),
        ))
          terminal.line(line);
        if (rows.some((row) => row.to === caller.name && row.state === 'open'))
          terminal.line('\nrookery answer ASK "..." answers one that was put to you.');
      });
    });
  addCommand(program, 'reminders', 'the reminders of the project, pending and parked', 'rookery reminders --all')
    .option('--all', 'fired and cancelled ones, too')
    .action(async (flags: ListFlags) => {
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        const reminders = await hub.reminders.list(caller, { state: null, everybody: true, limit: ROWS });
        const rows = reminders
          .filter((one) => flags.all === true || one.state === 'pending' || one.state === 'parked')
          .map((one) => ({
            id: one.id,
            state: one.state,
            of: one.owner,
            for: one.target,
            due: toIso(one.attemptAt),
            cron: one.cron ?? '',
            runs: one.runs,
            attempts: one.attemptCount,
            error: one.lastError ?? '',
            message: one.message,
          }));
        if (flags.json === true) return terminal.json({ reminders: rows });
        for (const line of renderThings(rows)) terminal.line(line);
        if (rows.some((row) => row.state === 'parked')) terminal.line('\nrookery retry REMINDER tries a parked one again.');
      });
    });
  addCommand(program, 'open', 'everything that is owed in the project: who owes whom what', 'rookery open --mine')
    .option('--mine', 'only what you owe or wait for')
    .action(async (flags: ListFlags) => {
      await asOperator(flags, async ({ call, terminal }) => {
        const result = await call(getOpenThreads, { scope: flags.mine === true ? 'mine' : 'group' });
        if (flags.json === true) return terminal.json(result);
        for (const line of renderThings(Array.isArray(result.threads) ? result.threads : [])) terminal.line(line);
        if (typeof result.more === 'number') terminal.line(`\n${result.more} more are not shown.`);
      });
    });
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
