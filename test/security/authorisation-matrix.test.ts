// The authorisation matrix: every tool, on an object of somebody, by everybody who could try, at two front doors. The table is a file to be
// read and agreed to; beside it stand the rules that no entry may break. Each cell is a call on an object of its own.

import { expect, it } from 'vitest';
import type { Project } from '../../src/hub/projects.ts';
import { callTool } from '../../src/tools/call.ts';
import { Connection } from '../../src/tools/connection.ts';
import { findTool, tools } from '../../src/tools/index.ts';
import { TOOLSETS } from '../../src/tools/tool.ts';
import { api, type Served, serveHub } from '../server/http-hub.ts';
import { OTHER_PROJECT, PROJECT } from '../support/engines.ts';

type Call = (tool: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>;
type Given = Record<string, unknown>;
type World = Record<Who, Call>;

/** The owner made the object, the target is whom it concerns, the peer is any other agent; the foreigners are of another project. */
const WHO = ['owner', 'target', 'peer', 'manager', 'operator', 'foreigner', 'foreign_manager'] as const;
type Who = (typeof WHO)[number];
const FOREIGN: readonly Who[] = ['foreigner', 'foreign_manager'];

let objects = 0;
const word = (kind: string) => `${kind} ${++objects}`;

/** What there is to act on, each made afresh for a cell. */
const OBJECTS = {
  message: (world: World) => world.owner('send', { to: 'target', body: word('message'), subject: word('subject') }),
  shown: async (world: World) => {
    await world.owner('send', { to: 'target', body: word('message'), subject: word('subject') });
    return await world.target('recv_batch', { max: 50 });
  },
  ask: (world: World) => world.owner('ask', { to: 'target', question: word('question') }),
  reminder: (world: World) => world.owner('remind', { message: word('reminder'), in_seconds: 86_400 }),
  approval: (world: World) => world.owner('request_approval', { action: word('deploy'), risk: 'medium' }),
  task: (world: World) => world.owner('create_task', { title: word('task'), assignee: 'target' }),
  held: async (world: World) => {
    const { task_id } = await world.owner('create_task', { title: word('task'), assignee: 'target' });
    return { task_id, ...(await world.target('claim_task', { task_id })) };
  },
  reviewed: async (world: World) => {
    const { task_id } = await world.owner('create_task', { title: word('task'), assignee: 'target', reviewers: ['manager'] });
    const { fencing_token } = await world.target('claim_task', { task_id });
    await world.target('complete_task', { task_id, fencing_token, result: 'done' });
    return { task_id };
  },
  lock: (world: World) => world.owner('reserve', { names: [word('lock').replace(' ', '-')] }),
  checkpoint: (world: World) => world.owner('save_checkpoint', { current_task: word('checkpoint') }),
  document: (world: World) => world.owner('put_document', { name: word('doc').replace(' ', '-'), body: 'known' }),
  nothing: async (): Promise<Given> => ({}),
} satisfies Record<string, (world: World) => Promise<Given>>;

type Entry = [tool: string, on: keyof typeof OBJECTS, args: (object: Given) => Record<string, unknown>];

const ENTRIES: Entry[] = [
  ['whoami', 'nothing', () => ({})],
  ['join', 'nothing', () => ({ status: 'here' })],
  ['list_agents', 'nothing', () => ({})],
  ['send', 'nothing', () => ({ to: 'target', body: word('words') })],
  ['send', 'message', ({ message_id }) => ({ to: 'target', body: word('words'), in_reply_to: message_id })],
  ['recv_batch', 'message', () => ({ from: 'owner' })],
  ['ack', 'shown', ({ receipt }) => ({ receipt })],
  ['message_status', 'message', ({ message_id }) => ({ message_id })],
  ['get_message', 'message', ({ message_id }) => ({ message_id })],
  ['get_thread', 'message', ({ message_id }) => ({ message_id })],
  ['requeue_dead', 'message', ({ message_id }) => ({ message_id, to: 'target' })],
  ['resume_thread', 'message', ({ thread_id }) => ({ thread_id })],
  ['ask', 'nothing', () => ({ to: 'target', question: word('question') })],
  ['answer', 'ask', ({ ask_id }) => ({ ask_id, answer: 'yes' })],
  ['list_my_asks', 'ask', () => ({})],
  ['cancel_ask', 'ask', ({ ask_id }) => ({ ask_id })],
  ['get_open_threads', 'ask', () => ({ scope: 'group' })],
  ['remind', 'nothing', () => ({ message: word('reminder'), in_seconds: 86_400, to: 'target' })],
  ['list_my_reminders', 'reminder', () => ({})],
  ['cancel_reminder', 'reminder', ({ reminder_id }) => ({ reminder_id })],
  ['retry_reminder', 'reminder', ({ reminder_id }) => ({ reminder_id })],
  ['reserve', 'lock', ({ reservations }) => ({ names: [(reservations as { name?: string }[])[0]?.name ?? 'lock'] })],
  ['release', 'lock', ({ reservations }) => ({ ids: [(reservations as { id: string }[])[0]?.id] })],
  ['request_approval', 'nothing', () => ({ action: word('deploy'), risk: 'medium' })],
  ['decide_approval', 'approval', ({ approval_id }) => ({ approval_id, decision: 'approve' })],
  ['verify_approval', 'approval', ({ approval_id }) => ({ approval_id, action: 'something else', consume: true })],
  ['create_task', 'task', ({ task_id }) => ({ title: word('task'), parent_id: task_id })],
  ['claim_task', 'task', ({ task_id }) => ({ task_id })],
  ['update_task', 'held', ({ task_id, fencing_token }) => ({ task_id, fencing_token, progress: 10 })],
  ['update_task', 'held', ({ task_id }) => ({ task_id, state: 'submitted' })],
  ['complete_task', 'held', ({ task_id, fencing_token }) => ({ task_id, fencing_token, result: 'done' })],
  ['submit_review', 'reviewed', ({ task_id }) => ({ task_id, revision: 1, verdict: 'PASS' })],
  ['get_task', 'task', ({ task_id }) => ({ task_id })],
  ['list_tasks', 'task', () => ({})],
  ['handoff_task', 'held', ({ task_id, fencing_token }) => ({ task_id, to: 'peer', fencing_token })],
  ['wait_for_tasks', 'task', ({ task_id }) => ({ task_ids: [task_id], wait_seconds: 0 })],
  ['cancel_task', 'task', ({ task_id }) => ({ task_id })],
  ['create_agent', 'nothing', () => ({ name: word('made').replace(' ', '-'), role: 'agent' })],
  ['create_template', 'nothing', () => ({ name: word('plan').replace(' ', '-'), definition: JSON.stringify({ title: 'x' }) })],
  ['save_checkpoint', 'checkpoint', () => ({ current_task: 'x' })],
  ['load_checkpoint', 'checkpoint', () => ({ of: 'owner' })],
  ['put_document', 'document', ({ name, version }) => ({ name, body: 'more', expected_version: version })],
  ['put_document', 'nothing', () => ({ name: 'brief', body: '', expected_version: 0 })],
  ['get_document', 'document', ({ name }) => ({ name })],
  ['list_documents', 'document', () => ({})],
  ['report_usage', 'nothing', () => ({ percent: 10 })],
];

it('has an entry for every tool', () => {
  expect([...new Set(ENTRIES.map(([tool]) => tool))].sort()).toEqual(tools.map(({ name }) => name).sort());
});

it('is what was agreed, at every door, and nothing in it breaks a rule', { timeout: 120_000 }, async () => {
  const served = await serveHub({ settings: { toolsets: [...TOOLSETS] }, limits: { heldTasks: 100, remindersPerMinute: 10_000 } });
  const inside = await matrix(await worldOf(served, 'in'));
  const outside = await matrix(await worldOf(served, 'http'));
  expect(outside).toEqual(inside);
  for (const [index, [tool, on]] of ENTRIES.entries()) {
    const cells = inside[index] ?? {};
    const named = `${tool} on ${on}`;
    for (const who of FOREIGN)
      if (on !== 'nothing' && !LISTS.includes(tool)) expect([named, who, cells[who]]).not.toEqual([named, who, 'ok']);
    for (const who of WHO) expect([named, who, cells[who]]).not.toEqual([named, who, 'internal']);
  }
  await expect(tableOf(inside)).toMatchFileSnapshot('./authorisation-matrix.txt');
});

/** They answer about the caller's own project only, whatever the object. */
const LISTS = [
  'list_my_asks',
  'get_open_threads',
  'list_my_reminders',
  'list_tasks',
  'save_checkpoint',
  'reserve',
  'recv_batch',
  'list_documents',
];

async function matrix(world: World): Promise<Partial<Record<Who, string>>[]> {
  const rows = [];
  for (const [tool, on, args] of ENTRIES) {
    const cells: Partial<Record<Who, string>> = {};
    for (const who of WHO) {
      const object: Given = await OBJECTS[on](world);
      if (object.code !== undefined) throw new Error(`${on} could not be made: ${JSON.stringify(object)}`);
      const answer = await world[who](tool, args(object));
      cells[who] = typeof answer.code === 'string' ? answer.code : 'ok';
    }
    rows.push(cells);
  }
  return rows;
}

function tableOf(rows: Partial<Record<Who, string>>[]): string {
  const lines = ENTRIES.map(([tool, on], index) => [
    on === 'nothing' ? tool : `${tool} (${on})`,
    ...WHO.map((who) => rows[index]?.[who] ?? ''),
  ]);
  return `${[['', ...WHO], ...lines]
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(column === 0 ? 30 : 16))
        .join('')
        .trimEnd(),
    )
    .join('\n')}\n`;
}

/** The seven at a door, each door with projects of its own so that no session is in another's way. */
async function worldOf(served: Served, door: 'in' | 'http'): Promise<World> {
  const here = { ...PROJECT, id: `${PROJECT.id}-${door}` };
  const there = { ...OTHER_PROJECT, id: `${OTHER_PROJECT.id}-${door}` };
  const world: Partial<World> = {};
  for (const who of WHO) {
    const project = FOREIGN.includes(who) ? there : here;
    const role = who === 'manager' || who === 'foreign_manager' ? 'manager' : who === 'operator' ? undefined : 'agent';
    world[who] = door === 'in' ? await inside(served, who, project, role) : await overHttp(served, who, project, role);
    await world[who]('whoami', {});
  }
  return world as World;
}

async function inside({ hub }: Served, name: Who, project: Project, role: string | undefined): Promise<Call> {
  const attachment = {
    project,
    door: 'stdio' as const,
    client: { name: 'test', version: '1' },
    root: project.root,
    name,
    ...(role === undefined ? {} : { role }),
  };
  const connection =
    name === 'operator'
      ? Connection.fixed(hub, await hub.projects.operator(project, 'cli'), TOOLSETS)
      : Connection.attaching(hub, attachment, TOOLSETS);
  return async (name, args) => {
    const tool = findTool(name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    const reply = await callTool(hub, connection, tool, args);
    return reply.ok ? reply.result : reply.error;
  };
}

async function overHttp(served: Served, name: Who, project: Project, role: string | undefined): Promise<Call> {
  const token = await served.token(name, { project, ...(role === undefined ? {} : { role }) });
  return async (tool, args) => (await api(served.url, token, tool, args)).body;
}
