// join: take a name, fill in the card, register a sub-agent.

import * as z from 'zod';
import { defineTool } from './tool.ts';
import { describeSelf, identity } from './whoami.ts';

const label = z.string().min(1).max(40);

export const join = defineTool({
  name: 'join',
  title: 'Join under a name',
  description:
    'Take a name or update your card (role, capabilities, status) so that others can address you. child_of_me registers a sub-agent instead, for which you may then pass as. The way out of agent_busy and stale_session.',
  access: 'write',
  toolset: 'core',
  idempotent: true,
  identifies: true,
  input: () => ({
    name: z.string().min(1).max(40).optional().describe('letters, digits, . _ -'),
    role: label.optional().describe('e.g. reviewer; manager only if configured'),
    description: z.string().max(500).optional(),
    capabilities: z.array(label).max(32).optional().describe('tags that any:tag finds; replaces all'),
    model: z.string().max(80).optional(),
    status: z.string().max(200).optional().describe('what you are doing'),
    child_of_me: z.boolean().optional(),
    takeover: z.boolean().optional().describe('take the name from its live session'),
  }),
  output: () => ({
    ...identity(),
    previous_name: z.string().optional(),
    child: z.string().optional().describe('the sub-agent registered'),
  }),
  async run({ hub, connection, key, args }, input) {
    const { child_of_me: childOfMe, ...request } = input;
    const { caller, previousName, replayed } = await connection.join({ ...request, childOfMe }, { tool: 'join', key, args });
    return {
      ...(await describeSelf({ hub, caller, connection })),
      ...(previousName === caller.name ? {} : { previous_name: previousName }),
      ...(childOfMe === true && input.name !== undefined ? { child: input.name } : {}),
      ...(replayed ? { replayed } : {}),
    };
  },
});
