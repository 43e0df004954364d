// whoami: what the hub knows of the caller, from its session and never from what it says.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { VERSION } from '../hub/version.ts';
import { defineTool, TOOLSETS, type ToolCall } from './tool.ts';
import { renderWake, wakeShape } from './words.ts';

export const identity = () => ({
  name: z.string(),
  role: z.string(),
  project: z.string(),
  project_root: z.string().describe('attachment paths are relative to it'),
  agent_id: z.string(),
  session_id: z.string().nullable().describe('none of the operator’s'),
  epoch: z.int().nullable(),
  door: z.string(),
  client: z.string(),
  model: z.string(),
  description: z.string().optional(),
  status: z.string().optional(),
  capabilities: z.array(z.string()),
  spawned_by: z.string().optional().describe('who made you'),
  hub: z.object({
    version: z.string(),
    instance_id: z.string(),
    boot_id: z.string(),
    started_at: z.string(),
    engine: z.string(),
  }),
  wake: wakeShape(),
  counts: z.object({ unread: z.int(), leased: z.int(), owed: z.int(), reminders: z.int(), reminders_parked: z.int(), tasks: z.int() }),
  limits: z.record(z.string(), z.number()),
  toolsets: z.array(z.enum(TOOLSETS)),
  notices: z.array(z.string()),
});

/** The answer of whoami and join. */
export async function describeSelf({
  hub,
  caller,
  connection,
}: Pick<ToolCall, 'hub' | 'caller' | 'connection'>): Promise<z.input<z.ZodObject<ReturnType<typeof identity>>>> {
  const view = await hub.agents.self(caller);
  const { unread, leased, unreplied } = view.counts;
  const reminders = await hub.reminders.counts(caller);
  const { waitMs, bodyBytes, inlineBodyBytes, batchMessages, batchBytes, sendPerSecond, sendPerMinute, inboxFull, fanOut } =
    hub.context.limitsOf(caller);
  return {
    name: view.agent.name,
    role: view.agent.role,
    project: caller.projectId,
    project_root: await hub.projects.root(caller.projectId),
    agent_id: caller.agentId,
    session_id: caller.sessionId === caller.agentId ? null : caller.sessionId,
    epoch: caller.epoch,
    door: caller.door,
    client: view.agent.client,
    model: view.agent.model,
    ...(view.agent.description === '' ? {} : { description: view.agent.description }),
    ...(view.agent.status === '' ? {} : { status: view.agent.status }),
    capabilities: view.capabilities,
    ...(view.spawnedBy === null ? {} : { spawned_by: view.spawnedBy }),
    hub: {
      version: VERSION,
      instance_id: hub.instanceId,
      boot_id: hub.bootId,
      started_at: toIso(hub.startedAt),
      engine: hub.context.db.engine,
    },
    wake: renderWake(view),
    counts: {
      unread,
      leased,
      owed: leased + unreplied,
      reminders: reminders.pending,
      reminders_parked: reminders.parked,
      tasks: await hub.claims.held(caller),
    },
    limits: {
      waitMs,
      bodyBytes,
      inlineBodyBytes,
      batchMessages,
      batchBytes,
      sendPerSecond,
      sendPerMinute,
      inboxFull,
      fanOut,
    },
    toolsets: [...connection.toolsets],
    notices: [
      ...(view.quarantined ? ['The operator has put you in quarantine: every other call is refused. Stop, and wait for that person.'] : []),
      ...hub.notices(),
      ...(await hub.dutyNotices()),
    ],
  };
}

export const whoami = defineTool({
  name: 'whoami',
  title: 'Who am I',
  description:
    'Your name, role, project and session as the hub knows them, what waits for you, the limits, and notices if anything is degraded.',
  access: 'read',
  toolset: 'core',
  input: () => ({}),
  output: identity,
  run: describeSelf,
});
