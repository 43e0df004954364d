// Tasks, for the operator: what there is and why it does not move, one with its whole history, the graph, and the acts that need a
// person. Each act is a tool's, with its authority.

import { type Command, Option } from 'commander';
import { toCarried } from '../hub/carried-job.ts';
import { toIso } from '../hub/clock.ts';
import type { TaskView } from '../hub/task-views.ts';
import { TASK_STATES } from '../hub/vocabulary.ts';
import { cancelTask } from '../tools/cancel-task.ts';
import { createTask } from '../tools/create-task.ts';
import { handoffTask } from '../tools/handoff-task.ts';
import type { Tool } from '../tools/tool.ts';
import { updateTask } from '../tools/update-task.ts';
import { type TasksReply, tasks as tasksView } from '../views/tasks.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, addGroup, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { addList, definedOf, type ListFlags } from './listing.ts';
import { printSafeBlock, printSafeLine } from './print-safe.ts';
import { renderThings } from './render.ts';
import { toDot, toMermaid } from './task-documents.ts';

type TaskFlags = ListFlags & { state?: string; worker?: string; label?: string; before?: string };
type GraphFlags = CommonFlags & { format?: string };
type CreateFlags = CommonFlags & {
  body?: string;
  assignee?: string;
  need?: string[];
  after?: string[];
  parent?: string;
  priority?: string;
  artifact?: string[];
  reviewer?: string[];
};

export function registerTasks(program: Command): void {
  addList<TaskFlags, TasksReply['tasks'][number], TasksReply>(
    program,
    'tasks',
    {
      description: 'the tasks of the project, newest first, and why nobody works on them',
      example: 'rookery tasks --state needs_attention',
    },
    {
      of: 'tasks',
      read: ({ look }, { state, worker, label, before, limit }) => look(tasksView, definedOf({ state, worker, label, before, limit })),
      cells: ({ id, state, priority, holder, assignee, progress, title, why }) => ({
        task: id,
        ...{ state, priority, who: holder ?? assignee ?? '-' },
        ...{ progress: progress === undefined ? '-' : `${progress} %`, title, why: why ?? '' },
      }),
      below: ({ next }) => [next === null ? undefined : `Older ones: repeat it with --before ${next}.`],
    },
  )
    .addOption(new Option('--state <state>', 'only those in this state').choices(TASK_STATES))
    .option('--worker <name>', 'who holds it or is meant to')
    .option('--label <label>', 'only those with this label')
    .option('--limit <number>', tasksView.input.shape.limit?.description)
    .option('--before <seq>', 'older ones: next of the page before');
  const task = addGroup(program, 'task', 'one task: what happened to it, and what a person may do about it', 'rookery task tsk_…');
  addCommand(task, 'show <id>', 'a task with its whole history; `show` may be left out', 'rookery task tsk_…', true).action(show);
  addCommand(task, 'graph [id]', 'what waits for what: below a task, or among all that are open', 'rookery task graph --format mermaid')
    .option('--format <format>', 'mermaid or dot', 'mermaid')
    .action(graph);
  addCreate(task);
  addCommand(
    task,
    'cancel <id> [reason...]',
    'end a task and everything open below it',
    'rookery task cancel tsk_… "not needed any more"',
  ).action(async (id: string, reason: string[], flags: CommonFlags) => {
    const input = { task_id: id, ...(reason.length === 0 ? {} : { reason: reason.join(' ') }) };
    await act(
      flags,
      cancelTask,
      input,
      ({ canceled }) => `Canceled: ${Array.isArray(canceled) && canceled.length > 0 ? canceled.join(', ') : 'nothing was open'}.`,
    );
  });
  addCommand(task, 'retry <id> [note...]', 'have a task tried again, whoever holds it', 'rookery task retry tsk_…').action(
    decide('submitted'),
  );
  addCommand(task, 'accept <id> [note...]', 'accept what needs attention as it is', 'rookery task accept tsk_… "fine as it is"').action(
    decide('completed'),
  );
  addCommand(task, 'assign <id> <agent>', 'assign a task that nobody holds', 'rookery task assign tsk_… alice').action(
    async (id: string, agent: string, flags: CommonFlags) => {
      await act(flags, handoffTask, { task_id: id, to: agent }, () => `${agent} is told of it.`);
    },
  );
}

function addCreate(task: Command): void {
  const many = (value: string, all: string[] = []) => [...all, value];
  addCommand(task, 'create <title...>', 'hand out work', 'rookery task create --need typescript "Write the parser"')
    .option('--body <text>', 'all the worker needs to know')
    .option('--assignee <name>', 'an agent; without one whoever can do it')
    .option('--need <capability>', 'a capability that is needed; may be repeated', many)
    .option('--after <task>', 'a task to wait for, perhaps with :cancel or :ignore; may be repeated', many)
    .option('--parent <task>', 'the task that this is a part of')
    .option('--priority <priority>', 'low, normal, high or urgent')
    .option('--artifact <path>', 'a file that is expected; may be repeated', many)
    .option('--reviewer <name>', 'who reviews it; may be repeated', many)
    .action(async (title: string[], flags: CreateFlags) => {
      const list = (name: string, values: string[] | undefined) => (values === undefined || values.length === 0 ? {} : { [name]: values });
      const input = {
        title: title.join(' '),
        ...(flags.body === undefined ? {} : { body: flags.body }),
        ...(flags.assignee === undefined ? {} : { assignee: flags.assignee }),
        ...(flags.parent === undefined ? {} : { parent_id: flags.parent }),
        ...(flags.priority === undefined ? {} : { priority: flags.priority }),
        ...list('capabilities', flags.need),
        ...list('depends_on', flags.after),
        ...list('expected_artifacts', flags.artifact),
        ...list('reviewers', flags.reviewer),
      };
      await act(
        flags,
        createTask,
        input,
        (result) => `${String(result.task_id)} is ${String(result.state)}${result.why === undefined ? '' : `: ${String(result.why)}`}`,
      );
    });
}

function decide(state: 'submitted' | 'completed') {
  return async (id: string, note: string[], flags: CommonFlags) => {
    const input = { task_id: id, state, ...(note.length === 0 ? {} : { note: note.join(' ') }) };
    await act(flags, updateTask, input, (result) => `${id} is ${String(result.state)}.`);
  };
}

async function show(id: string, flags: CommonFlags): Promise<void> {
  await asOperator(flags, async ({ hub, caller, terminal }) => {
    const view = await hub.taskTrees.whole(caller, id);
    if (flags.json === true) return terminal.json(toCarried(view));
    for (const line of lines(view)) terminal.line(line);
  });
}

function lines(view: TaskView): string[] {
  const { task } = view;
  const facts: [string, string | null][] = [
    ['task', task.id],
    ['title', task.title],
    ['state', `${task.state}${task.waitsBecause === null ? '' : `: ${task.waitsBecause}`}`],
    ['owner', task.creator],
    ['who', task.holder ?? task.assignee],
    ['priority', task.priority],
    ['needs', task.needs.join(', ') || null],
    ['waits for', view.dependsOn.map((one) => `${one.taskId} (${one.state}${one.settled ? '' : `, ${one.policy}`})`).join(', ') || null],
    [
      'children',
      Object.entries(view.children)
        .map(([state, n]) => `${n} ${state}`)
        .join(', ') || null,
    ],
    ['lease', task.leaseUntil === null ? null : `token ${task.fencingToken}, attempt ${task.attempt}, until ${toIso(task.leaseUntil)}`],
    ['deadline', task.deadlineAt === null ? null : toIso(task.deadlineAt)],
    [
      'artifacts',
      task.expectedArtifacts.length === 0
        ? null
        : `${task.expectedArtifacts.join(', ')}${task.verification === null ? '' : `: ${task.verification}`}`,
    ],
    ['reviewers', task.reviewers.length === 0 ? null : `${view.reviewers.join(', ')} (${task.quorum} must pass revision ${task.revision})`],
    ['trace', view.traceparent],
  ];
  const history = view.history.map((step) => ({
    version: step.version,
    at: toIso(step.at),
    act: step.act,
    by: step.by,
    state: step.toState,
    token: step.fencingToken,
    note: step.note ?? '',
  }));
  const words = (title: string, text: string) => (text === '' ? [] : ['', `${title}:`, printSafeBlock(text)]);
  return [
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(10)}  ${printSafeLine(value)}`])),
    ...words('body', task.body),
    ...(view.result === null ? [] : words(`result, by ${printSafeLine(view.result.by)} at ${toIso(view.result.at)}`, view.result.result)),
    ...view.late.flatMap((one) =>
      words(`late result, not applied, by ${printSafeLine(one.by)} under token ${one.fencingToken}`, one.result),
    ),
    ...(view.reviews.length === 0
      ? []
      : [
          '',
          'reviews:',
          ...renderThings(
            view.reviews.map((one) => ({
              revision: one.revision,
              reviewer: one.reviewer,
              verdict: one.state,
              findings: one.findings.join(' / '),
            })),
          ),
        ]),
    '',
    'history:',
    ...renderThings(history),
  ];
}

async function graph(id: string | undefined, flags: GraphFlags): Promise<void> {
  if (flags.format !== 'mermaid' && flags.format !== 'dot')
    throw usage('--format must be mermaid or dot.', 'For example: rookery task graph --format dot | dot -Tsvg');
  await asOperator(flags, async ({ hub, caller, terminal }) => {
    const view = await hub.taskTrees.graph(caller, id);
    if (flags.json === true) return terminal.json(view);
    for (const line of (flags.format === 'dot' ? toDot : toMermaid)(view)) terminal.line(line);
  });
}

/** One act through its tool, answered in a sentence. */
async function act(
  flags: CommonFlags,
  tool: Tool,
  input: Record<string, unknown>,
  say: (result: Record<string, unknown>) => string,
): Promise<void> {
  await asOperator({ ...flags, begins: true }, async ({ call, terminal }) => {
    const result = await call(tool, input);
    if (flags.json === true) terminal.json(result);
    else terminal.line(printSafeLine(say(result)));
  });
}
