// One of everything that agents and the operator do, chosen by four numbers, for histories that chance makes.

import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { ack, recv, send } from '../support/acts.ts';
import { attach, PROJECT } from '../support/engines.ts';
import { view } from './look.ts';

export const NAMES = ['ada', 'bob', 'cleo', 'dan'];

/** `who` acts, perhaps towards `whom`; `pick` chooses among what there is. */
export type Step = { act: number; who: number; whom: number; pick: number };

type Scene = {
  hub: Hub;
  operator: Caller;
  me: Caller;
  to: string;
  whom: string;
  pick: number;
  /** One of those that wait for the operator. */
  waiting(list: string): Record<string, string>;
};

const heldTask = async ({ hub, me, pick }: Scene) => {
  const { tasks } = await hub.taskViews.list(me, { limit: 20 });
  const mine = tasks.filter(({ holder }) => holder === me.name);
  return mine[pick % Math.max(1, mine.length)];
};
const anyTask = async ({ hub, operator, pick }: Scene) => {
  const { tasks } = await hub.taskViews.list(operator, { limit: 20 });
  return tasks[pick % Math.max(1, tasks.length)];
};

const ACTS: ((scene: Scene) => Promise<unknown>)[] = [
  ({ hub, me, to, pick }) => send(hub, me, to, `words ${pick}`, { allowDuplicate: true, expectsReply: pick % 2 === 0 }),
  ({ hub, me, to, pick }) => send(hub, me, to, `urgent ${pick}`, { allowDuplicate: true, urgent: true, subject: `Matter ${pick}` }),
  ({ hub, me }) => recv(hub, me, { max: 3 }),
  async ({ hub, me }) => ack(hub, me, { receipt: (await recv(hub, me)).receipt ?? '' }),
  async ({ hub, me }) => ack(hub, me, { nackIds: [(await recv(hub, me)).messages[0]?.id ?? ''], delayMs: 0 }),
  async ({ hub, me, to }) => send(hub, me, to, 'again', { inReplyTo: (await recv(hub, me, { peek: true })).messages[0]?.id }),
  ({ hub, me, to, pick }) => hub.asks.ask(me, { to, question: `May I ${pick}?` }, { tool: 'ask' }),
  ({ hub, operator, waiting }) => hub.asks.answer(operator, waiting('asks').ask_id ?? '', { answer: ['yes'] }, { tool: 'answer' }),
  ({ hub, operator, waiting }) => hub.asks.cancel(operator, waiting('asks').ask_id ?? '', { tool: 'cancel_ask' }),
  ({ hub, operator, waiting }) =>
    hub.deliveries.requeueFor(operator, waiting('dead').message_id ?? '', waiting('dead').to ?? '', { tool: 'requeue_dead' }),
  ({ hub, operator, waiting }) => hub.threads.resume(operator, waiting('paused').thread_id ?? '', { tool: 'resume_thread' }),
  ({ hub, operator, waiting }) => ack(hub, operator, { ids: [waiting('mail').message_id ?? ''] }),
  ({ hub, me, pick }) =>
    hub.approvals.request(me, { action: `act ${pick}`, risk: pick % 3 === 0 ? 'medium' : 'high' }, { tool: 'request_approval' }),
  ({ hub, operator, waiting, pick }) =>
    hub.approvals.decide(
      operator,
      waiting('approvals').approval_id ?? '',
      { state: pick % 2 === 0 ? 'approved' : 'denied', note: `note ${pick}` },
      { tool: 'decide_approval' },
    ),
  async ({ hub, me, pick }) => {
    const listed = await hub.approvals.list(me, { pending: false, limit: 20 });
    const approved = listed.find(({ state }) => state === 'approved');
    return hub.approvals.verify(me, approved?.id ?? '', approved?.action ?? '', pick % 2 === 0, { tool: 'verify_approval' });
  },
  ({ hub, me }) => hub.sessions.end(me, 'closed'),
  ({ hub, me, pick }) => hub.reminders.remind(me, { message: `later ${pick}`, inMs: 60_000 }, { tool: 'remind' }),
  async ({ hub, me }) => {
    const [mine] = await hub.reminders.list(me, { state: null, limit: 1 });
    return hub.reminders.cancel(me, mine?.id ?? '', { tool: 'cancel_reminder' });
  },
  ({ hub, me, pick }) => hub.joining.join(me, attachmentOf(me.name), { status: `doing ${pick}` }, { tool: 'join' }),
  ({ hub, me, whom, pick }) =>
    hub.tasks.create(
      me,
      { title: `job ${pick}`, ...(pick % 3 === 0 ? { assignee: whom } : {}), ...(pick % 2 === 0 ? { reviewers: [whom] } : {}) },
      { tool: 'create_task' },
    ),
  async (scene) => {
    const other = (await anyTask(scene))?.id ?? '';
    return scene.hub.tasks.create(scene.me, { title: `later ${scene.pick}`, dependsOn: [other] }, { tool: 'create_task' });
  },
  ({ hub, me }) => hub.claims.claim(me, undefined, { tool: 'claim_task' }),
  ({ hub, me }) => hub.claims.claim(me, undefined, { tool: 'claim_task' }),
  async (scene) => {
    const task = await heldTask(scene);
    const state = (['input_required', 'failed', undefined, undefined] as const)[scene.pick % 4];
    const update = { state, progress: scene.pick * 5, fencingToken: task?.fencingToken, note: state === undefined ? undefined : 'stuck' };
    return scene.hub.taskUpdates.update(scene.me, task?.id ?? '', update, { tool: 'update_task' });
  },
  async (scene) => {
    const task = await heldTask(scene);
    const done = { result: `done ${scene.pick}`, fencingToken: task?.fencingToken ?? 0 };
    return scene.hub.taskCompletion.complete(scene.me, task?.id ?? '', done, { tool: 'complete_task' });
  },
  async ({ hub, me, pick }) => {
    const owed = (await hub.openThreads.list(me, 'mine')).threads.find(({ kind }) => kind === 'review');
    const revision = Number(owed?.state.replace('revision ', '') ?? 1);
    const verdict = pick % 2 === 0 ? ('PASS' as const) : ('NOT_PASS' as const);
    return hub.reviews.submit(me, { taskId: owed?.id ?? '', revision, verdict, findings: [`finding ${pick}`] }, { tool: 'submit_review' });
  },
  async (scene) => {
    const task = (await anyTask(scene))?.id ?? '';
    const { hub, operator, pick } = scene;
    return pick % 2 === 0
      ? hub.taskDecisions.cancel(operator, task, undefined, { tool: 'cancel_task' })
      : hub.taskUpdates.update(operator, task, { state: 'submitted' }, { tool: 'update_task' });
  },
  ({ hub, me, pick }) =>
    hub.reservations.reserve(
      me,
      {
        paths: pick % 3 === 0 ? [] : [`src/part-${pick % 4}/**`],
        names: pick % 3 === 0 ? [`lock-${pick % 2}`] : [],
        mode: pick % 2 === 0 ? 'exclusive' : 'shared',
        reason: `reason ${pick}`,
      },
      { tool: 'reserve' },
    ),
  async ({ hub, me, operator, pick }) => {
    const held = await hub.reservations.list(operator);
    const id = held[pick % Math.max(1, held.length)]?.id ?? '';
    return hub.reservations.release(pick % 2 === 0 ? operator : me, [id], { tool: 'release' });
  },
  ({ hub, me, pick }) => hub.checkpoints.save(me, { currentTask: `step ${pick}` }, { tool: 'save_checkpoint' }),
  ({ hub, operator, me, pick }) =>
    pick % 2 === 0
      ? hub.wakeDoors.register(operator, me.name, { kind: 'command', program: '/bin/true', args: [] })
      : hub.wakeDoors.unregister(operator, me.name),
];
export const ACT_COUNT = ACTS.length;

/** Does it. What the hub refuses is refused: throws the HubError. */
export async function anyAct(hub: Hub, operator: Caller, { act, who, whom, pick }: Step): Promise<void> {
  const name = NAMES[who] ?? 'ada';
  const me = (await hub.sessions.live(PROJECT.id, name)) ?? (await attach(hub, name, { role: who === 0 ? 'manager' : 'worker' }));
  const lists = (await view(hub, operator, 'waiting')) as Record<string, Record<string, string>[]>;
  const waiting = (list: string) => lists[list]?.[pick % Math.max(1, lists[list]?.length ?? 1)] ?? {};
  const to = pick % 4 === 0 ? 'operator' : (NAMES[whom] ?? 'bob');
  await ACTS[act % ACTS.length]?.({ hub, operator, me, to, whom: NAMES[whom] ?? 'bob', pick, waiting });
}

const attachmentOf = (name: string) => ({
  ...{ project: PROJECT, door: 'stdio' as const, client: { name: 'test', version: '1' } },
  ...{ root: PROJECT.root, name },
});
