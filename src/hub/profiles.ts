// Carrying what a hub is set up with from one to another: reading the profiles of projects, and bringing one into a project. An import is one
// change by the operator, with its events: all of it happens, or nothing. It makes no credential: agents that come in have to enrol.

import { type AgentRow, findAgentByName, replaceCapabilities, updateAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { carriedReminders, deleteTemplate, setRuns } from '../store/profiles.ts';
import { cancelReminder, insertReminder } from '../store/reminders.ts';
import { putTemplate } from '../store/task-templates.ts';
import type { Agents } from './agents.ts';
import { authorityOf, type Caller } from './caller.ts';
import { toInstant, toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import type { Policies, Target } from './policies.ts';
import { policyKey } from './policy-keys.ts';
import { type CarriedAgent, type CarriedPolicy, type CarriedReminder, keyOf, type Profile, policiesOf, profileOf } from './profile.ts';
import { type Change, changesOf, type ImportMode, type PolicyChange, policyChanges } from './profile-changes.ts';
import { assertPolicySound, assertSound, nobody } from './profile-soundness.ts';
import type { Project } from './projects.ts';
import { registerAgent } from './registering.ts';
import { Revoking } from './revoking.ts';
import type { Sessions } from './sessions.ts';
import type { TaskTemplates } from './task-templates.ts';

export type ProfileServices = { readonly revoking: Revoking; readonly profiles: Profiles };

/** The end of an agent, and the import that may bring it about. */
export function profileServices(
  context: HubContext,
  parts: { agents: Agents; sessions: Sessions; templates: TaskTemplates; policies: Policies },
): ProfileServices {
  const revoking = new Revoking(context, parts.agents, parts.sessions);
  return { revoking, profiles: new Profiles(context, revoking, parts.templates, parts.policies) };
}

export class Profiles {
  readonly #context: HubContext;
  readonly #revoking: Revoking;
  readonly #templates: TaskTemplates;
  readonly #policies: Policies;

  constructor(context: HubContext, revoking: Revoking, templates: TaskTemplates, policies: Policies) {
    this.#context = context;
    this.#revoking = revoking;
    this.#templates = templates;
    this.#policies = policies;
  }

  /** What was set for all projects. */
  everywhere(): Promise<CarriedPolicy[]> {
    return this.#context.db.read((read) => policiesOf(read, null));
  }

  /** What an import would do to what holds in all projects. Changes nothing. Errors: `invalid_input`. */
  async previewEverywhere(file: readonly CarriedPolicy[], mode: ImportMode): Promise<PolicyChange[]> {
    const changes = policyChanges(await this.everywhere(), file, mode);
    for (const change of changes) assertPolicySound(change, 'global');
    return changes;
  }

  /** Does it, as the operator, in one transaction. */
  async bringEverywhere(caller: Caller, file: readonly CarriedPolicy[], mode: ImportMode): Promise<PolicyChange[]> {
    const changes = await this.previewEverywhere(file, mode);
    const wanted = changes.filter(({ act }) => act === 'add' || act === 'change' || act === 'remove');
    await this.#policies.bring(
      caller,
      wanted.map(({ act, policy: { key, value } }) => ({ key, value: act === 'remove' ? undefined : value })),
    );
    return changes;
  }

  /** The profile of a project; of one that is not there, an empty one. */
  read(project: Project): Promise<Profile> {
    return this.#context.db.read((read) => profileOf(read, project));
  }

  /** What an import would do. Changes nothing. Errors: `invalid_input` and `conflict` for what could not be carried out. */
  preview(project: Project, file: Profile, mode: ImportMode): Promise<Change[]> {
    return this.#context.db.read((read) => this.#workedOut(read, project, file, mode));
  }

  /** Does it, as the operator of the project. Answers what was done. Errors: as above, and `forbidden` for anybody else. */
  async bring(caller: Caller, project: Project, file: Profile, mode: ImportMode, progress?: () => void): Promise<Change[]> {
    if (authorityOf(caller.role) !== 'operator')
      throw new HubError('forbidden', 'Only the operator may import; nothing was changed.', { hint: 'Ask the operator.' });
    const { changes } = await this.#context.commands.run(caller, { tool: 'import' }, async (act) => {
      const found = await this.#workedOut(act.tx, project, file, mode);
      // Agents first: makers before those they made would need an order, so who made whom comes last.
      for (const change of found) {
        if (change.kind === 'agent') await this.#agent(act, caller, change);
        progress?.();
      }
      for (const change of found) if (change.kind === 'agent' && change.act !== 'remove') await this.#maker(act, change);
      for (const change of found) if (change.kind !== 'agent') await this.#thing(act, caller, change);
      const done = found.filter(({ act: what }) => what === 'add' || what === 'change' || what === 'remove').length;
      if (done > 0) await act.emit('profile.imported', project.id, { changes: done, overwrite: mode.overwrite, remove: mode.remove });
      return { changes: found };
    });
    return changes;
  }

  async #workedOut(read: Read, project: Project, file: Profile, mode: ImportMode): Promise<Change[]> {
    const here = await profileOf(read, project);
    const changes = changesOf(here, file, mode);
    await assertSound(read, this.#context, this.#templates, { here, file, changes });
    return changes;
  }

  async #agent(act: Act, caller: Caller, change: Change & { kind: 'agent' }): Promise<void> {
    const { agent } = change;
    if (change.act === 'keep' || change.act === 'extra') return;
    const here = await findAgentByName(act.tx, act.projectId, agent.name);
    if (change.act === 'remove') {
      if (here !== undefined) await this.#revoking.revokeIn(act, here);
      return;
    }
    const row = here ?? (await registerAgent(act, this.#context.ids, { ...cardOf(agent), client: '' }));
    if (here !== undefined) {
      await updateAgent(act.tx, { ...here, ...cardOf(agent) });
      await act.emit('agent.changed', here.id, { name: agent.name, role: agent.role, by: caller.name });
    }
    await replaceCapabilities(act.tx, row.id, agent.capabilities);
  }

  /** Who made an agent, where that one is here, too. */
  async #maker(act: Act, { act: what, agent }: Change & { kind: 'agent' }): Promise<void> {
    if (what !== 'add' && what !== 'change') return;
    const [row, maker] = [await this.#named(act, agent.name), agent.made_by === null ? undefined : await this.#named(act, agent.made_by)];
    if (row !== undefined && (row.spawnedBy ?? undefined) !== maker?.id)
      await updateAgent(act.tx, { ...row, spawnedBy: maker?.id ?? null });
  }

  async #thing(act: Act, caller: Caller, change: Exclude<Change, { kind: 'agent' }>): Promise<void> {
    if (change.act === 'keep' || change.act === 'extra') return;
    if (change.kind === 'reminder') return await this.#reminder(act, caller, change.act, change.reminder);
    if (change.kind === 'policy') {
      const { agent, key, value } = change.policy;
      const target: Target = agent === null ? { level: 'project' } : { level: 'agent', agent };
      await this.#policies.changeIn(act, caller, { target, key: policyKey(key), value: change.act === 'remove' ? undefined : value });
      return;
    }
    if (change.act === 'remove') {
      await deleteTemplate(act.tx, act.projectId, change.name);
      await act.emit('template.removed', change.name, { by: caller.name });
      return;
    }
    const { name, definition } = change.template;
    const row = { projectId: act.projectId, name, definition: JSON.stringify(definition), creatorId: caller.agentId, updatedAt: act.now };
    const version = await putTemplate(act.tx, row);
    await act.emit('template.written', name, { by: caller.name, version, steps: definition.steps.length });
  }

  async #reminder(act: Act, caller: Caller, what: 'add' | 'remove', reminder: CarriedReminder): Promise<void> {
    const [owner, target] = [await this.#named(act, reminder.of), await this.#named(act, reminder.for)];
    if (owner === undefined || target === undefined) throw nobody(owner === undefined ? reminder.of : reminder.for, 'A reminder');
    if (what === 'remove') {
      const rows = await carriedReminders(act.tx, act.projectId);
      const found = rows.find(
        (row) => row.ownerId === owner.id && row.targetId === target.id && keyOf(reminder) === keyOf({ ...reminder, ...asCarried(row) }),
      );
      if (found !== undefined && (await cancelReminder(act.tx, found.id, act.now)))
        await act.emit('reminder.cancelled', found.id, { by: caller.name });
      return;
    }
    const id = this.#context.ids.next('rem');
    const dueAt = toInstant(reminder.due_at) ?? act.now;
    await insertReminder(act.tx, {
      id,
      projectId: act.projectId,
      ownerId: owner.id,
      targetId: target.id,
      sessionId: caller.sessionId,
      message: reminder.message,
      onlyIf: null,
      cron: reminder.cron,
      timezone: reminder.timezone,
      maxRuns: reminder.max_runs,
      runs: reminder.runs,
      state: 'pending',
      dueAt,
      attemptAt: dueAt,
      attemptCount: 0,
      lastError: null,
      createdAt: act.now,
      closedAt: null,
    });
    await setRuns(act.tx, id, reminder.runs);
    await act.emit('reminder.created', id, { owner: owner.name, to: target.name, due_at: dueAt, cron: reminder.cron });
  }

  async #named(act: Act, name: string): Promise<AgentRow | undefined> {
    return await findAgentByName(act.tx, act.projectId, name);
  }
}

function cardOf({ name, name_source, role, description, model }: CarriedAgent) {
  return { name, nameSource: name_source, role, description, model };
}

function asCarried(row: { message: string; cron: string | null; timezone: string | null; maxRuns: number | null; dueAt: number }) {
  return { message: row.message, cron: row.cron, timezone: row.timezone, max_runs: row.maxRuns, due_at: toIso(row.dueAt) };
}
