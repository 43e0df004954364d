// create_agent: make an agent that a client you start becomes, by a token that enrols once.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { defineTool } from './tool.ts';

export const createAgent = defineTool({
  name: 'create_agent',
  title: 'Make an agent for a client to become',
  description:
    'For managers: make an agent with a role below yours. Start its client in this project with the environment that comes back: exactly one client becomes it, under that name.',
  access: 'write',
  toolset: 'manage',
  overseers: true,
  input: () => ({
    name: z.string().min(1).max(40).describe('letters, digits, . _ -'),
    role: z.string().min(1).max(40).optional().describe('e.g. worker'),
    model: z.string().max(80).optional().describe('the model it should run'),
    description: z.string().max(500).optional().describe('what it is for'),
  }),
  output: () => ({
    name: z.string(),
    role: z.string(),
    model: z.string().optional(),
    enrolment_id: z.string(),
    environment: z.string().optional().describe('only in the first answer of a key'),
    expires_at: z.string(),
  }),
  async run({ hub, caller, key, args }, input) {
    const made = await hub.enrolments.create(caller, input, { tool: 'create_agent', key, args });
    return {
      name: made.name,
      role: made.role,
      ...(made.model === '' ? {} : { model: made.model }),
      enrolment_id: made.enrolmentId,
      ...(made.token === undefined ? {} : { environment: `ROOKERY_ENROL=${made.token}` }),
      expires_at: toIso(made.expiresAt),
      ...(made.replayed === true ? { replayed: true } : {}),
    };
  },
});
