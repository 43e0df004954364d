// list_agents: who there is, what they can do, whether they are there now.

import * as z from 'zod';
import { LIMITS } from '../hub/limits.ts';
import { PRESENCE_STATES } from '../hub/presence.ts';
import { defineTool } from './tool.ts';
import { agentCard, clampWait, renderAgent, waitSeconds } from './words.ts';

export const listAgents = defineTool({
  name: 'list_agents',
  title: 'List agents',
  description:
    'Who is in this project: role, capabilities, presence, backlog. With wait_for it waits until the named agents are connected and names those missing.',
  access: 'read',
  toolset: 'core',
  input: () => ({
    capability: z.string().max(40).optional(),
    role: z.string().max(40).optional(),
    state: z.enum(PRESENCE_STATES).optional(),
    wait_for: z.array(z.string().max(40)).max(32).optional().describe('names to wait for'),
    wait_seconds: waitSeconds,
  }),
  output: () => ({
    agents: z.array(agentCard()),
    missing: z.array(z.string()).optional().describe('waited for and not connected'),
    note: z.string().optional(),
    reason: z.string().optional(),
  }),
  async run({ hub, caller, signal }, input) {
    const { waitMs, note } = clampWait(input.wait_seconds, LIMITS.waitMs.hard);
    const { agents, missing, end } = await hub.agents.list(
      caller,
      { capability: input.capability, role: input.role, state: input.state, waitFor: input.wait_for, waitMs },
      signal,
    );
    return {
      agents: agents.map(renderAgent),
      ...(input.wait_for === undefined ? {} : { missing }),
      ...(note === undefined ? {} : { note }),
      ...(end === 'found' ? {} : { reason: end }),
    };
  },
});
