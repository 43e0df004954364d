// What happens in every cell of the matrix: an agent comes in, is who it should be, talks to one and to groups, asks and is asked, does work and hands
// some out, may decide what its role lets it, and is seen by nobody of another project. Each step says what must be true after it.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Agent, Reply } from '../../support/mcp-agent.ts';
import { type Cell, CLIENTS, DIMENSIONS, GROUPS, MEMBERS, type Member, ROLES } from './fixtures.ts';
import type { Project, Stage } from './stage.ts';

export type Scene = {
  cell: Cell & { name: string };
  me: Agent & { folder: string };
  /** What the others call it. */
  name: string;
  project: Project;
  strangers: Project[];
};
/** Ids of what the cell left behind, each with the tool that would show it. */
type One = [tool: string, input: Reply];
type Left = [One, ...One[]];

export async function play(stage: Stage, cell: Scene['cell']): Promise<void> {
  const project = stage.projects[cell.place];
  const strangers = Object.values(stage.projects).filter((one) => one !== project);
  const me = await stage.arrive(cell);
  const scene = { cell, me, name: cell.role === 'operator' ? 'operator' : cell.name, project, strangers };
  await enter(scene);
  const left: Left = [await talk(scene), await talkToGroups(scene), await handOut(scene)];
  await ask(scene);
  await work(scene);
  await decide(scene);
  await staysWithin(scene, left);
}

/** It takes its name, where neither flag nor credential has given it one, and is what it should be. */
async function enter({ cell, me, name, project }: Scene): Promise<void> {
  const { name: client, isFar } = CLIENTS[cell.client];
  if (cell.door === 'http') expect(await me.refused('join', { name: 'somebody-else' })).toMatchObject({ code: 'forbidden' });
  else if (!isFar) {
    const previous_name = expect.stringMatching(new RegExp(`^${client.split('-')[0]}-`));
    expect(await me.call('join', { name })).toMatchObject({ name, previous_name });
  }
  expect(await me.call('whoami')).toMatchObject({
    name,
    role: cell.role,
    project: project.id,
    project_root: project.root,
    door: cell.door,
    client: cell.role === 'operator' ? '' : client,
  });
}

/** A message to one is shown to that one, with a file of the sender’s own folder by its path in the project. */
async function talk({ cell, me, name, project }: Scene): Promise<One> {
  const { ana } = project.members;
  const file = join('src', 'a.ts');
  const { message_id, thread_id } = await me.call('send', {
    to: 'ana',
    body: `to ana by ${cell.name}`,
    attachments: [join(me.folder, file)],
  });
  const shown = (await ana.call('recv_batch', { thread_id })) as { messages: Reply[]; receipt: string };
  expect(shown.messages).toMatchObject([
    { id: message_id, from: name, authority: ROLES[cell.role].authority, body: `to ana by ${cell.name}`, attachments: [file] },
  ]);
  await ana.call('ack', { receipt: shown.receipt });
  expect(await me.call('message_status', { message_id })).toMatchObject({ recipients: [{ recipient: 'ana', state: 'acked' }] });
  return ['get_message', { message_id }];
}

/** Every form of address means exactly its members of this project, and one of them reads what was sent. */
async function talkToGroups({ cell, me, name, project }: Scene): Promise<One> {
  let last: unknown;
  for (const { to, means, broadcast } of GROUPS) {
    const body = `to ${to} by ${cell.name}`;
    const { message_id, thread_id, recipients } = await me.call('send', { to, body });
    const names = (recipients as Reply[]).map((one) => String(one.name));
    expect(names.filter((one) => one in MEMBERS).sort()).toEqual(means);
    expect(names).not.toContain(name);
    const foreign = DIMENSIONS.place.filter((place) => place !== cell.place);
    expect(names.filter((one) => foreign.some((place) => one.startsWith(`${place}-`)))).toEqual([]);
    if (broadcast !== true) continue;
    const { messages } = (await project.members[means[0] as Member].call('recv_batch', { thread_id })) as { messages: Reply[] };
    expect(messages).toMatchObject([{ id: message_id, from: name, body, broadcast }]);
    last = thread_id;
  }
  return ['get_thread', { thread_id: last }];
}

/** Questions end both ways: what it asks is answered, and it answers what it is asked. */
async function ask({ cell, me, name, project }: Scene): Promise<void> {
  const { rita } = project.members;
  const { ask_id: mine } = await me.call('ask', { to: 'rita', question: `May ${cell.name}?` });
  expect(await rita.call('answer', { ask_id: mine, answer: 'yes' })).toMatchObject({ state: 'answered' });
  const { asks } = (await me.call('list_my_asks')) as { asks: Reply[] };
  expect(asks).toContainEqual(expect.objectContaining({ id: mine, target: 'rita', state: 'answered', answer: ['yes'] }));
  const { ask_id: theirs } = await rita.call('ask', { to: name, question: `Will ${cell.name}?` });
  expect(await me.call('answer', { ask_id: theirs, answer: 'no' })).toMatchObject({ state: 'answered', answer: ['no'] });
}

/** Work that it hands out is done by the one that it names, and it is told. */
async function handOut({ cell, me, project }: Scene): Promise<One> {
  const { ana } = project.members;
  const { task_id } = await me.call('create_task', { title: `for ana by ${cell.name}`, assignee: 'ana' });
  const { fencing_token } = await ana.call('claim_task', { task_id });
  expect(await ana.call('complete_task', { task_id, fencing_token, result: `done for ${cell.name}` })).toMatchObject({
    state: 'completed',
  });
  expect(await me.call('wait_for_tasks', { task_ids: [task_id], wait_seconds: 20 })).toMatchObject({ done: true });
  return ['get_task', { task_id }];
}

/** Work that it is given it does; the file that it leaves in its own folder counts, as far as the hub can look there; a reviewer passes it. */
async function work({ cell, me, name, project }: Scene): Promise<void> {
  const { mia, rita } = project.members;
  const file = `${cell.name}.md`;
  const wish = { title: `for ${cell.name}`, expected_artifacts: [file], reviewers: ['rita'] };
  const { task_id } = await mia.call('create_task', { ...wish, assignee: name });
  const { fencing_token } = await me.call('claim_task', { task_id });
  const isAfar = cell.door === 'http' && cell.tree === 'worktree';
  writeFileSync(join(isAfar ? project.trees.worktree.top : me.folder, file), cell.name);
  const given = isAfar ? `${file} sha256:${createHash('sha256').update(cell.name).digest('hex')}` : file;
  const verification = isAfar ? 'attested' : 'verified';
  const done = await me.call('complete_task', { task_id, fencing_token, result: 'done', artifacts: [given] });
  expect(done).toMatchObject({ state: 'in_review', revision: 1, verification });
  await rita.call('submit_review', { task_id, revision: 1, verdict: 'PASS' });
  expect(await mia.call('get_task', { task_id })).toMatchObject({ task: { state: 'completed' } });
}

/** What another asks to be allowed is decided by those whose role it is, and by nobody else. */
async function decide({ cell, me, name, project }: Scene): Promise<void> {
  const { ana } = project.members;
  const action = `deploy for ${cell.name}`;
  const { approval_id } = await ana.call('request_approval', { action, risk: 'medium' });
  const decision = { approval_id, decision: 'approve' };
  if (ROLES[cell.role].decides) {
    await me.call('decide_approval', decision);
    expect(await ana.call('verify_approval', { approval_id, action, consume: true })).toMatchObject({ valid: true, decided_by: name });
  } else {
    expect(await me.refused('decide_approval', decision)).toMatchObject({ code: 'forbidden' });
    expect(await ana.call('verify_approval', { approval_id, action })).toMatchObject({ valid: false });
  }
}

/** Nobody of another project reaches it or reads what it left, and it reads nothing of theirs. */
async function staysWithin({ cell, me, name, strangers }: Scene, left: Left): Promise<void> {
  for (const [n, { members, said }] of strangers.entries()) {
    expect(await me.refused('get_message', { message_id: said })).toMatchObject({ code: 'not_found' });
    const [tool, input] = left[n % left.length] ?? left[0];
    expect(await members.mia.refused(tool, input)).toMatchObject({ code: 'not_found' });
    if (n > 0 || cell.role === 'operator') continue; // every project has one of that name
    expect(await members.mia.refused('send', { to: name, body: 'hello?' })).toMatchObject({ code: 'not_found' });
  }
}
