// The profile of a project: what of it can be carried to another hub. Agents with what they are for, the rules that were set, templates, what is
// still to be told. By names, never by ids, and without a secret: whoever is carried has to enrol anew. Two hubs with the same profile export the same text.

import { capabilitiesOf, findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { carriedAgents, carriedPolicies, carriedReminders, carriedTemplates } from '../store/profiles.ts';
import { HUB, OPERATOR } from './caller.ts';
import { toIso } from './clock.ts';
import type { Project } from './projects.ts';
import type { Template } from './task-templates.ts';

export type CarriedAgent = {
  name: string;
  name_source: 'given' | 'generated';
  role: string;
  description: string;
  model: string;
  capabilities: string[];
  made_by: string | null;
};
export type CarriedTemplate = { name: string; definition: Template };
export type CarriedReminder = {
  of: string;
  for: string;
  message: string;
  cron: string | null;
  timezone: string | null;
  max_runs: number | null;
  runs: number;
  due_at: string;
};
/** What the operator set; `agent`: for this one alone. */
export type CarriedPolicy = { key: string; agent: string | null; value: unknown };
export type Profile = {
  project: Project;
  agents: CarriedAgent[];
  templates: CarriedTemplate[];
  policies: CarriedPolicy[];
  reminders: CarriedReminder[];
};
/** What a hub is set up with: what holds in all its projects, if that is meant, too, and each of them. */
export type Setup = { policies: CarriedPolicy[] | undefined; profiles: Profile[] };

/** In every project, and never carried. */
export const STANDING: readonly string[] = [OPERATOR, HUB];

/** The profile of a project as it stands; of a project that is not there, an empty one. */
export async function profileOf(read: Read, project: Project): Promise<Profile> {
  const agents: CarriedAgent[] = [];
  for (const row of await carriedAgents(read, project.id)) {
    const maker = row.spawnedBy === null ? undefined : await findAgent(read, row.spawnedBy);
    const { name, nameSource: name_source, role, description, model } = row;
    const capabilities = await capabilitiesOf(read, row.id);
    agents.push({ name, name_source, role, description, model, capabilities, made_by: maker?.name ?? null });
  }
  const templates = (await carriedTemplates(read, project.id)).map(({ name, definition }) => ({
    name,
    definition: JSON.parse(definition) as Template,
  }));
  const known = new Set([...agents.map(({ name }) => name), ...STANDING]);
  const reminders: CarriedReminder[] = [];
  for (const row of await carriedReminders(read, project.id)) {
    const [owner, target] = [await findAgent(read, row.ownerId), await findAgent(read, row.targetId)];
    if (owner === undefined || target === undefined || !known.has(owner.name) || !known.has(target.name)) continue;
    reminders.push({
      of: owner.name,
      for: target.name,
      message: row.message,
      cron: row.cron,
      timezone: row.timezone,
      max_runs: row.maxRuns,
      runs: row.runs,
      due_at: toIso(row.dueAt),
    });
  }
  const policies = await policiesOf(read, project.id);
  return { project, agents, templates, policies, reminders: reminders.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) };
}

/** What was set for a project and its agents; null: for all projects. */
export async function policiesOf(read: Read, projectId: string | null): Promise<CarriedPolicy[]> {
  return (await carriedPolicies(read, projectId)).map((row) => ({ ...row, value: JSON.parse(row.value) as unknown }));
}

/** What makes two reminders the same, wherever they stand: a recurring one goes on, so its next instant is not part of it. */
export function keyOf(reminder: CarriedReminder): string {
  const { of, message, cron, timezone, max_runs, due_at } = reminder;
  return JSON.stringify([of, reminder.for, message, cron, timezone, max_runs, cron === null ? due_at : null]);
}
