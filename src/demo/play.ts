// What happens in the demo: three agents work a small job, and everything that the hub is for comes up once. Each act does something real
// and then says what was seen; nothing is told that was not read from a reply.

import { systemClock } from '../system/clock.ts';
import { type DemoAgent, Refusal, type Reply } from './agent.ts';
import { ORPHAN_MS, type Stage } from './stage.ts';

export type Narrator = {
  /** A new act. */
  act(title: string): void;
  /** What somebody does; `who` is an agent, the person, or the hub. */
  says(who: string, what: string): void;
  /** What a tool answered, word for word. */
  quotes(text: string): void;
};

export type Play = {
  stage: Stage;
  tell: Narrator;
  /** A pause for reading, in steps of about a second; none where nobody reads along. */
  pause(steps?: number): Promise<void>;
  /** How long a person may take to approve in the dashboard before the demo does. */
  personMs: number;
};

const WAIT = 40;
const LOOK_MS = 200;
/** Falls due while the hub finds out about the dead worker, for which it looks every five seconds. */
const REMINDER_SECONDS = 4;
const PUBLISH = 'npm publish --access public';

/** Plays it to its end. Answers how much happened. */
export async function play(parts: Play): Promise<{ events: number; messages: number }> {
  const { stage, tell, pause } = parts;
  tell.act('A hub of its own');
  tell.says('hub', `runs in ${stage.folder} (process ${stage.serverPid}), apart from any other hub of yours.`);
  tell.says('you', `can watch all of it live, here: ${stage.dashboard}`);
  await pause(3);
  const cast = await enter(parts);
  await talk(parts, cast);
  const job = await handOut(parts, cast);
  const ben = { ...cast, ...(await takeOver(parts, cast, job)) };
  await review(parts, ben, job);
  await approval(parts, ben);
  return await sum(parts);
}

type Cast = { maya: DemoAgent; ada: DemoAgent; ben: DemoAgent };
type Job = { taskId: string; token: number; reminded: Promise<Reply> };

async function enter({ stage, tell, pause }: Play): Promise<Cast> {
  tell.act('Three agents come in');
  const [maya, ada, ben] = await Promise.all([stage.enter('maya', '--role', 'manager'), stage.enter('ada'), stage.enter('ben')]);
  await maya.call('join', { description: 'plans and reviews', status: 'planning' });
  for (const worker of [ada, ben]) await worker.call('join', { capabilities: ['typescript'], description: 'writes code' });
  tell.says('hub', 'is reached over stdio: each agent’s client starts a server process of its own, as Claude Code and Codex do.');
  tell.says('maya', `is a manager (process ${maya.pid}).`);
  for (const worker of [ada, ben]) tell.says(worker.name, `says that it knows typescript (process ${worker.pid}).`);
  await pause(2);
  return { maya, ada, ben };
}

async function talk({ tell, pause }: Play, { ada, ben }: Cast): Promise<void> {
  tell.act('They talk');
  const arriving = begun(ben.call('recv_batch', { wait_seconds: WAIT }).then((batch) => ({ batch, at: systemClock.monotonic() })));
  tell.says('ben', 'waits for mail.');
  await pause();
  const from = systemClock.monotonic();
  const sent = await ada.call('send', { to: 'ben', subject: 'parser', body: 'I take src/parser.ts; please leave it alone until noon.' });
  const { batch, at } = await arriving;
  const [message] = messagesOf(batch);
  tell.says('ada', `sends ben a message. The answer comes when it is on disk.`);
  tell.says('ben', `has it ${Math.max(1, Math.round(at - from))} ms after ada began to send:`);
  tell.quotes(`${message?.from}: ${message?.body}`);
  await pause(2);
  tell.says('ada', 'asks the hub what became of it. Nothing is called delivered; it says what is known:');
  tell.quotes(whyOf(await ada.call('message_status', { message_id: sent.message_id })));
  await ben.call('ack', { receipt: batch.receipt });
  tell.says('ben', 'acknowledges it, and ada sees:');
  tell.quotes(whyOf(await ada.call('message_status', { message_id: sent.message_id })));
  await pause(2);
  const question = 'Should the parser accept a trailing comma?';
  const asking = begun(ada.call('ask', { to: 'ben', question, options: ['yes', 'no'], wait_seconds: WAIT }));
  tell.says('ada', `asks: ${question} An ask always ends: answered, declined or expired.`);
  const put = await ben.call('recv_batch', { wait_seconds: WAIT });
  await pause();
  await ben.call('answer', { ask_id: messagesOf(put)[0]?.ref, answer: 'yes' });
  const { state, answer } = await asking;
  tell.says('ben', `answers; ada’s ask is ${String(state)}: ${String(answer)}.`);
  await ada.call('ack', { receipt: (await ada.call('recv_batch')).receipt });
  await pause(2);
}

async function handOut({ tell, pause }: Play, { maya, ada, ben }: Cast): Promise<Job> {
  tell.act('Work is handed out');
  const task = {
    title: 'Write the parser',
    body: 'Parse the list format of docs/format.md.',
    capabilities: ['typescript'],
    reviewers: ['maya'],
  };
  const { task_id: taskId } = await maya.call('create_task', task);
  tell.says('maya', 'creates the task “Write the parser” for whoever knows typescript; she will review the result.');
  const claim = await ada.call('claim_task', { task_id: taskId });
  const token = Number(claim.fencing_token);
  tell.says('ada', `claims it: it is hers under a lease, with fencing token ${token}. Ben cannot have it now.`);
  await ada.call('update_task', { task_id: taskId, fencing_token: token, progress: 40, note: 'tokens are done, lists are next' });
  tell.says('ada', 'reports 40 %: “tokens are done, lists are next”.');
  await pause(2);
  await maya.call('remind', { message: 'Look after the parser.', in_seconds: REMINDER_SECONDS });
  tell.says('maya', `sets a reminder: look after the parser, in ${REMINDER_SECONDS} seconds. It would survive a restart.`);
  const reminded = begun(maya.call('recv_batch', { wait_seconds: WAIT, from: 'maya' }));
  await ben.call('send', { to: 'ada', body: 'Mind the empty list.', expects_reply: true });
  await ada.call('recv_batch');
  tell.says('ben', 'writes to ada: mind the empty list. She is shown it, and has not acknowledged it when …');
  await pause(2);
  return { taskId: String(taskId), token, reminded };
}

async function takeOver({ stage, tell, pause }: Play, { ada, ben }: Cast, { taskId, token, reminded }: Job) {
  tell.act('A worker dies');
  const { pid } = ada;
  await ada.kill();
  tell.says('ada', `is gone: kill -9 of process ${pid}, in the middle of her work. Nobody tells the hub; it looks for itself.`);
  const [due] = messagesOf(await reminded);
  tell.says('maya', `is reminded: ${firstLine(due?.body)}`);
  const last = await whenFreed(ben, taskId);
  tell.says('hub', `finds her process gone and frees the task ${ORPHAN_MS / 1000} s later (usually a minute, because clients restart).`);
  const claim = await ben.call('claim_task', { task_id: taskId });
  const bens = Number(claim.fencing_token);
  tell.says('ben', `takes it over, with fencing token ${bens}, and reads where she was:`);
  tell.quotes(last);
  await pause(2);
  const again = await stage.enter('ada');
  const [shown] = messagesOf(await again.call('recv_batch', { from: 'ben' }));
  tell.says('ada', `is started again, under her name. What she had not acknowledged is shown again, marked as attempt ${shown?.attempt}:`);
  tell.quotes(`${shown?.from}: ${shown?.body}`);
  const refusal = await refused(again.call('complete_task', { task_id: taskId, fencing_token: token, result: 'done in my old session' }));
  tell.says('ada', `hands in her old result under token ${token}. The hub keeps it as late and does not apply it:`);
  tell.quotes(`${refusal.code}: ${firstSentence(refusal.message)}`);
  await pause(3);
  return { ada: again, token: bens };
}

async function review({ tell, pause }: Play, { maya, ben, token }: Cast & { token: number }, { taskId }: Job): Promise<void> {
  tell.act('The result is reviewed');
  const first = await ben.call('complete_task', {
    task_id: taskId,
    fencing_token: token,
    result: 'src/parser.ts parses lists and trailing commas.',
  });
  tell.says('ben', `hands in revision ${String(first.revision)}; the task is ${words(first.state)}.`);
  const finding = 'src/parser.ts:17: the empty list is refused.';
  await maya.call('submit_review', { task_id: taskId, revision: first.revision, verdict: 'NOT_PASS', findings: [finding] });
  tell.says('maya', `does not let it pass: ${finding} It goes back to ben. Words in a message would decide nothing; this does.`);
  await pause(2);
  const second = await ben.call('complete_task', { task_id: taskId, fencing_token: token, result: 'The empty list is parsed, too.' });
  const { state } = await maya.call('submit_review', { task_id: taskId, revision: second.revision, verdict: 'PASS' });
  tell.says('ben', `mends it and hands in revision ${String(second.revision)}; maya passes it. The task is ${words(state)}.`);
  await pause(2);
}

async function approval({ stage, tell, pause, personMs }: Play, { ben }: Cast): Promise<void> {
  tell.act('A risky act waits for a person');
  const wish = { action: PUBLISH, risk: 'high', reason: 'the parser is reviewed' };
  const asked = await ben.call('request_approval', wish);
  const id = String(asked.approval_id);
  tell.says('ben', `wants to run this, and asks first:`);
  tell.quotes(PUBLISH);
  tell.says(
    'you',
    `decide: in the dashboard, or with rookery approve ${id}.${personMs > 0 ? ` In ${personMs / 1000} s the demo does it for you.` : ''}`,
  );
  const waited = personMs > 0 ? await ben.call('request_approval', { ...wish, wait_seconds: personMs / 1000 }) : asked;
  if (waited.state === 'pending') {
    await stage.asPerson('decide_approval', { approval_id: id, decision: 'approve', note: 'go ahead' });
    tell.says('you', 'approve (the demo presses the button).');
  } else tell.says('you', `have decided: ${String(waited.state)}.`);
  const first = await ben.call('verify_approval', { approval_id: id, action: PUBLISH, consume: true });
  tell.says(
    'ben',
    first.valid === true ? 'checks that the yes is real, for exactly this command, and uses it up.' : `may not: ${String(first.why)}`,
  );
  const second = await ben.call('verify_approval', { approval_id: id, action: PUBLISH, consume: true });
  tell.says('hub', `lets nobody use it twice: ${String(second.why)}`);
  await pause(2);
}

async function sum({ stage, tell }: Play): Promise<{ events: number; messages: number }> {
  tell.act('What is left of it');
  const [{ events }, { deliveries }] = await Promise.all([stage.view('events'), stage.view('overview')]);
  const newest = (events as { seq: number }[])[0]?.seq ?? 0;
  const counts = Object.values(deliveries as Record<string, number>).reduce((sum, count) => sum + count, 0);
  tell.says('hub', `has ${newest} events in its log, chained by their hashes, and ${counts} deliveries, each with its whole story.`);
  return { events: newest, messages: counts };
}

/** Waits until the hub has freed the task, and answers what its last holder had said of it. */
async function whenFreed(agent: DemoAgent, taskId: string): Promise<string> {
  for (;;) {
    const { history } = (await agent.call('get_task', { task_id: taskId })) as { history: { act: string; note?: string }[] };
    if (history.some(({ act }) => act === 'lease_lost')) return history.findLast(({ note }) => note !== undefined)?.note ?? '';
    await systemClock.sleep(LOOK_MS);
  }
}

/** A call that is waited for later: when the demo is ended meanwhile, its failure is nobody's. */
function begun<T>(call: Promise<T>): Promise<T> {
  call.catch(() => {});
  return call;
}

async function refused(call: Promise<Reply>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('the hub took what it should have refused');
}

type Message = { from: string; body: string; ref?: string; attempt: number };

function messagesOf(batch: Reply): Message[] {
  return batch.messages as Message[];
}

function whyOf(status: Reply): string {
  return (status.recipients as { why: string }[])[0]?.why ?? '';
}

function words(value: unknown): string {
  return String(value).replaceAll('_', ' ');
}

function firstLine(text = ''): string {
  return text.split('\n')[0] ?? '';
}

function firstSentence(text: string): string {
  return /^.*?[.;](?= |$)/.exec(text)?.[0] ?? text;
}
