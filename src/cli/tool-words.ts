// The words of a tool for a person: its description with flags and commands in place of fields and tools, an example that works, and a word for
// flags that a model needs none for (every word of a schema costs a context).

import { tools } from '../tools/index.ts';
import type { Tool } from '../tools/tool.ts';
import { flagsOf, positionalsOf } from './tool-flags.ts';

const EXAMPLES: Readonly<Record<string, string>> = {
  send: 'rookery send --to reviewer --kind request "Please look at src/auth.ts"',
  recv_batch: 'rookery recv --max 5 --wait-seconds 20',
  ack: 'rookery ack rcp_…',
  message_status: 'rookery message-status msg_…',
  get_thread: 'rookery get-thread --message-id msg_…',
  requeue_dead: 'rookery requeue-dead msg_… --to reviewer',
  list_agents: 'rookery list-agents --role reviewer --json',
  ask: 'rookery ask --to reviewer --options yes,no --wait-seconds 50 "May I merge?"',
  answer: 'rookery answer ask_… "yes"',
  remind: 'rookery remind --in-seconds 600 "Look after the release"',
  reserve: 'rookery reserve --as-agent ada --paths src/auth.ts --reason "splitting it up"',
  release: 'rookery release --as-agent ada --ids rsv_…',
  request_approval: 'rookery request-approval --as-agent ada --risk high "npm publish"',
  verify_approval: 'rookery verify-approval --as-agent ada --consume apr_… "npm publish"',
  decide_approval: 'rookery decide-approval apr_… approve --note "go ahead"',
  create_task: 'rookery create-task --capabilities typescript --reviewers maya "Write the parser"',
  claim_task: 'rookery claim-task --as-agent ada tsk_…',
  update_task: 'rookery update-task --as-agent ada tsk_… --fencing-token 3 --progress 40',
  complete_task: 'rookery complete-task --as-agent ada --fencing-token 3 tsk_… "It parses lists"',
  submit_review: 'rookery submit-review --as-agent maya --revision 1 --verdict PASS tsk_…',
  handoff_task: 'rookery handoff-task tsk_… --to ben',
  wait_for_tasks: 'rookery wait-for-tasks --task-ids tsk_…,tsk_… --wait-seconds 50',
  join: 'rookery join --as-agent ada --capabilities typescript --status "writing the parser"',
  save_checkpoint: 'rookery save-checkpoint --as-agent ada "Half of the parser is done"',
  report_usage: 'rookery report-usage --as-agent ada --percent 70',
};

/** By field, whatever the tool. */
const FLAG_WORDS: Readonly<Record<string, string>> = {
  answer: 'the answer',
  approval_id: 'the approval (apr_…)',
  ask_id: 'the ask (ask_…)',
  before_seq: 'the page before this one',
  blockers: 'what stands in the way',
  body: 'the words of the message',
  capability: 'only agents that know this',
  child_of_me: 'a sub-agent of this session',
  context: 'what the one who is asked has to know',
  deadline_seconds: 'it is to be done within so many seconds',
  decision: 'approve or deny',
  decline: 'decline, with --reason',
  description: 'what the agent is for',
  effort_minutes: 'how long it takes, about',
  expects_reply: 'a reply is owed; --no-expects-reply: none is',
  expires_in_seconds: 'of no use after so many seconds',
  fencing_token: 'the one that claiming gave',
  ids: 'ids of single messages',
  in_reply_to: 'the message that this answers; it is acknowledged by that',
  in_seconds: 'so many seconds from now',
  label: 'only those with this label',
  labels: 'labels to find it by',
  limit: 'at most so many',
  max_bytes: 'at most so many bytes of them',
  max_runs: 'after so many times it is over',
  message: 'what you are to be told',
  message_id: 'the message (msg_…)',
  model: 'the model that it runs',
  not_before_seconds: 'not to be begun for so many seconds',
  note: 'a word on it',
  open_questions: 'what is not decided',
  overdue: 'what happens when it is late',
  peek: 'look, and take nothing',
  priority: 'what is urgent is shown first',
  progress: 'percent',
  question: 'the question',
  reason: 'why',
  receipt: 'of the batch (rcp_…)',
  reminder_id: 'the reminder (rem_…)',
  reviewers: 'who is to review the result',
  role: 'only agents of this role',
  state: 'one of these',
  task_id: 'the task (tsk_…)',
  task_ids: 'the tasks (tsk_…)',
  thread_id: 'the thread (thr_…)',
  title: 'what is to be done',
  ttl_seconds: 'for so many seconds, unless it is renewed',
  verdict: 'PASS or NOT_PASS',
};

/** What a flag means, where its schema does not say. */
export function flagWords(field: string, described: string | undefined): string {
  return described ?? FLAG_WORDS[field] ?? '';
}

/** One line that works, with everything that is required. */
export function exampleOf(tool: Tool): string {
  const known = EXAMPLES[tool.name];
  if (known !== undefined) return known;
  const positionals = positionalsOf(tool);
  const required = flagsOf(tool).filter(
    ({ field }) => !positionals.includes(field) && tool.input.shape[field]?.safeParse(undefined).success === false,
  );
  const flags = required.map(({ flag, kind }) => `--${flag} ${kind === 'number' ? '1' : '…'}`);
  return ['rookery', tool.name.replaceAll('_', '-'), ...positionals.map((field) => `<${field.replaceAll('_', '-')}>`), ...flags].join(' ');
}

/** A description as a person types things: `wait_seconds` is --wait-seconds, `get_open_threads` is get-open-threads. */
export function inCommandWords(text: string, tool: Tool): string {
  const fields = new Set(flagsOf(tool).map(({ field }) => field));
  const names = new Set(tools.map(({ name }) => name));
  return text.replace(/\b[a-z]+(?:_[a-z]+)+\b/g, (word) => {
    const kebab = word.replaceAll('_', '-');
    return fields.has(word) ? `--${kebab}` : names.has(word) ? kebab : word;
  });
}

/** Lists have commands of their own for people. */
const FOR_PEOPLE: Readonly<Record<string, string>> = {
  list_agents: 'rookery agents',
  list_tasks: 'rookery tasks',
  get_task: 'rookery task ID',
  list_my_asks: 'rookery asks',
  list_my_reminders: 'rookery reminders',
  get_open_threads: 'rookery open',
  recv_batch: 'rookery recv',
};

/** A sentence of the hub for a person: tools are commands. */
export function inPersonsWords(text: string): string {
  const names = new Set(tools.map(({ name }) => name));
  // What an agent is told field by field, a person reads with the flags.
  const asked = text.replace(
    /\b([a-z_]+) takes: .*$/s,
    (_, tool: string) => `rookery ${tool.replaceAll('_', '-')} --help shows what it takes.`,
  );
  return asked.replace(
    /\b[a-z]+(?:_[a-z]+)+\b/g,
    (word) => FOR_PEOPLE[word] ?? (names.has(word) ? `rookery ${word.replaceAll('_', '-')}` : word),
  );
}
