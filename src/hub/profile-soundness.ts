// Whether an import could be carried out, asked before anything is changed: a dry run refuses what the import itself would refuse, and a file with
// something wrong in its last project changes nothing in its first.

import { findAgentByName } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { assertCapability, assertGrantable, assertLabel, assertName } from './names.ts';
import { type Level, parsePolicy, policyKey } from './policy-keys.ts';
import { type CarriedReminder, type Profile, STANDING } from './profile.ts';
import type { Change, PolicyChange } from './profile-changes.ts';
import { toSchedule } from './schedules.ts';
import type { TaskTemplates } from './task-templates.ts';

/** Errors: `invalid_input` for what makes no sense here, `conflict` for an agent that was revoked here, `forbidden` for a role that nobody may give. */
export async function assertSound(
  read: Read,
  context: HubContext,
  templates: TaskTemplates,
  { here, file, changes }: { here: Profile; file: Profile; changes: readonly Change[] },
): Promise<void> {
  const known = new Set([...here.agents, ...file.agents].map(({ name }) => name).concat(STANDING));
  for (const change of changes) {
    if (change.act !== 'add' && change.act !== 'change') continue;
    if (change.kind === 'agent') {
      assertName(change.agent.name);
      assertGrantable(change.agent.role);
      for (const capability of change.agent.capabilities) assertCapability(capability);
      if (change.act === 'add') await assertNotRevoked(read, here.project.id, change.name);
    }
    if (change.kind === 'template') {
      assertLabel('name', change.name);
      templates.assertSound(change.template.definition);
    }
    if (change.kind === 'policy') {
      const { agent } = change.policy;
      assertPolicySound(change, agent === null ? 'project' : 'agent');
      if (agent !== null && !known.has(agent)) throw nobody(agent, 'A policy');
    }
    if (change.kind === 'reminder') {
      const stranger = [change.reminder.of, change.reminder.for].find((name) => !known.has(name));
      if (stranger !== undefined) throw nobody(stranger, 'A reminder');
      if (change.reminder.cron !== null) assertSchedule(context, change.reminder);
    }
  }
}

/** It is a policy that is known here, may differ at this level, and may have this value. */
export function assertPolicySound({ act, policy }: PolicyChange, level: Level): void {
  if (act === 'add' || act === 'change') parsePolicy(policyKey(policy.key), level, policy.value);
}

export function nobody(name: string, what: string): HubError {
  return new HubError(
    'invalid_input',
    `${what} speaks of ${name.slice(0, 40)}, who is neither here nor in the file; nothing was imported.`,
    {
      hint: `Add the agent to the file, or leave the ${what.replace(/^an? /i, '')} out.`,
    },
  );
}

async function assertNotRevoked(read: Read, projectId: string, name: string): Promise<void> {
  const row = await findAgentByName(read, projectId, name);
  if (row === undefined || row.revokedAt === null) return;
  throw new HubError('conflict', `${name} was revoked here; nothing was imported.`, {
    hint: `rookery agents create ${name} lets it in again; or leave it out of the file.`,
  });
}

function assertSchedule({ time, limits }: HubContext, { cron, timezone, max_runs }: CarriedReminder): void {
  toSchedule({ cron: cron ?? undefined, timezone: timezone ?? undefined, maxRuns: max_runs ?? undefined }, time.now(), limits);
}
