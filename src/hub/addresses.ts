// Addresses: who a message is for. Every form resolves to agents that exist, or is refused with the nearest names; never a phantom inbox (C15).

import { type AgentRow, capabilitiesIn, findAgentByName, listAgents } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { type Caller, hasInbox, isAgent } from './caller.ts';
import { HubError } from './errors.ts';
import type { Limits } from './limits.ts';
import { nearestNames } from './names.ts';

export type Audience = {
  recipients: AgentRow[];
  /** Addressed as members (`*`, role:, any:) rather than by name: one full inbox among them does not stop the rest. */
  byMembership: boolean;
  /** Arrives even in a full inbox: the end of an ask, a notice of the hub. Nothing an agent sends on its own is. */
  always?: boolean;
  broadcast: boolean;
  /** One of the recipients is to take it; the others then see it taken. */
  pool: boolean;
  /** Canonical text of the address. */
  address: string;
  notes: string[];
};

/** An audience of known agents, for what the hub itself addresses. */
export function audienceOf(agents: readonly AgentRow[]): Audience {
  const address = agents
    .map((agent) => agent.name)
    .sort()
    .join(',');
  return { recipients: [...agents], byMembership: true, always: true, broadcast: false, pool: false, address, notes: [] };
}

/**
 * Resolves an address: a name, several names, `role:x`, `any:role-or-capability`, `*` (all agents of the project but the sender), or `operator`.
 * Errors: `not_found` naming the nearest, `invalid_input` for mixed or empty forms, `limit_reached` past the fan-out.
 */
export async function resolveAudience(
  read: Read,
  caller: Caller,
  to: string | readonly string[],
  now: number,
  limits: Limits,
): Promise<Audience> {
  const wanted = [
    ...new Set((typeof to === 'string' ? to.split(',') : [...to]).map((part) => part.trim()).filter((part) => part !== '')),
  ].sort();
  if (wanted.length === 0)
    throw new HubError('invalid_input', 'to is empty.', {
      hint: 'Give a name from list_agents, role:x, any:x, * or operator.',
    });
  const audience =
    (await known(read, caller, wanted)) ?? (await pick(read, caller, wanted, await listAgents(read, caller.projectId), now, limits));
  if (audience.recipients.length > limits.fanOut) {
    throw new HubError(
      'limit_reached',
      `${audience.recipients.length} recipients are more than the ${limits.fanOut} of one message; nothing was sent.`,
      {
        hint: 'Address fewer agents, or a role.',
      },
    );
  }
  return audience;
}

/** The everyday case, without a look at everybody: names, all of which exist. */
async function known(read: Read, caller: Caller, wanted: string[]): Promise<Audience | undefined> {
  const recipients: AgentRow[] = [];
  for (const name of wanted) {
    const agent = await findAgentByName(read, caller.projectId, name);
    if (agent === undefined || !hasInbox(agent.role) || agent.revokedAt !== null) return undefined;
    recipients.push(agent);
  }
  return byName(caller, wanted, recipients);
}

function byName(caller: Caller, wanted: string[], recipients: AgentRow[]): Audience {
  const self = recipients.some((agent) => agent.id === caller.agentId);
  const notes = self ? ['You are among the recipients: this message also goes to your own inbox.'] : [];
  return { recipients, byMembership: false, broadcast: false, pool: false, address: wanted.join(','), notes };
}

async function pick(read: Read, caller: Caller, wanted: string[], agents: AgentRow[], now: number, limits: Limits): Promise<Audience> {
  const [first = ''] = wanted;
  const collective = wanted.find((part) => part === '*' || part.startsWith('role:') || part.startsWith('any:') || part.startsWith('#'));
  if (collective === undefined) {
    return byName(
      caller,
      wanted,
      wanted.map((name) => named(name, agents)),
    );
  }
  if (wanted.length > 1) {
    throw new HubError('invalid_input', `to: ${collective.slice(0, 48)} cannot be combined with other recipients.`, {
      hint: 'Send two messages.',
    });
  }
  if (first.startsWith('#')) {
    throw new HubError('not_found', 'There are no channels in this hub.', { hint: 'Send to names, role:x or *.' });
  }
  const { members, leftOut } = present(agents, caller, now, limits);
  // A broadcast reaches a sub-agent through its parent, in whose session it lives.
  const matching = first === '*' ? members.filter((agent) => agent.parentId === null) : await matchingMembers(read, caller, first, members);
  if (matching.length === 0) throw nobody(first, members);
  const notes =
    leftOut > 0 && first === '*'
      ? [`${leftOut} agents not seen for ${Math.round(limits.retireAfterMs / 86_400_000)} days were left out.`]
      : [];
  return {
    recipients: matching,
    byMembership: true,
    broadcast: first === '*',
    pool: first.startsWith('any:'),
    address: first,
    notes,
  };
}

function named(name: string, agents: AgentRow[]): AgentRow {
  const exact = agents.find((agent) => agent.name === name && hasInbox(agent.role));
  if (exact !== undefined && exact.revokedAt !== null)
    throw new HubError('not_found', `${exact.name} was revoked by the operator: nobody reads its mail any more; nothing was sent.`, {
      hint: 'list_agents shows who there is.',
    });
  if (exact !== undefined) return exact;
  const nearest = nearestNames(
    name,
    agents.filter((agent) => hasInbox(agent.role) && agent.revokedAt === null).map((agent) => agent.name),
  );
  throw new HubError('not_found', `No agent of this project is called "${name.slice(0, 48)}"; nothing was sent.`, {
    hint: nearest.length > 0 ? `Did you mean ${nearest.join(', ')}? list_agents shows all.` : 'list_agents shows who there is.',
  });
}

/** The members of the project for collective addresses: agents but the sender, seen within the retirement time. */
function present(agents: AgentRow[], caller: Caller, now: number, limits: Limits): { members: AgentRow[]; leftOut: number } {
  const others = agents.filter((agent) => agent.id !== caller.agentId && agent.revokedAt === null && isAgent(agent.role));
  const members = others.filter((agent) => now - agent.lastSeenAt <= limits.retireAfterMs);
  return { members, leftOut: others.length - members.length };
}

async function matchingMembers(read: Read, caller: Caller, address: string, members: AgentRow[]): Promise<AgentRow[]> {
  const wanted = address.slice(address.indexOf(':') + 1);
  if (wanted === '')
    throw new HubError('invalid_input', `to: ${address} names no role.`, {
      hint: 'For example role:reviewer or any:typescript.',
    });
  const byRole = members.filter((agent) => agent.role === wanted);
  if (address.startsWith('role:')) return byRole;
  const capable = new Set(
    (await capabilitiesIn(read, caller.projectId)).filter(({ capability }) => capability === wanted).map(({ agentId }) => agentId),
  );
  return members.filter((agent) => agent.role === wanted || capable.has(agent.id));
}

function nobody(address: string, members: AgentRow[]): HubError {
  if (address === '*')
    return new HubError('not_found', 'There is nobody else in this project yet; nothing was sent.', {
      hint: 'list_agents with wait_for waits for others.',
    });
  const roles = [...new Set(members.map((agent) => agent.role))].sort().slice(0, 8);
  return new HubError('not_found', `No agent of this project answers to ${address.slice(0, 48)}; nothing was sent.`, {
    hint:
      roles.length > 0 ? `Roles here: ${roles.join(', ')}. list_agents shows capabilities.` : 'There is nobody else in this project yet.',
  });
}
