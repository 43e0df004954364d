// Who is calling. A Caller is made by the front door from a credential or a session, never from an argument (C15),
// and every service receives it. The one rule of what a role may do stands here too.

import type { AgentRow } from '../store/agents.ts';
import type { Authority as Relation } from '../store/deliveries.ts';
import type { Door, SessionRow } from '../store/sessions.ts';
import { HubError } from './errors.ts';

/** Authority, lowest first. Other role names (reviewer, worker, ...) are labels for addressing and carry the authority of an agent. */
export const PRIVILEGED_ROLES = ['manager', 'operator', 'hub'] as const;
/** The role of a token that reads the hub’s numbers (GET /metrics) and can do nothing else: no agent, and nobody to write to. */
export const METRICS = 'metrics';
export type Authority = typeof METRICS | 'agent' | (typeof PRIVILEGED_ROLES)[number];

/** Principals that every project has. Their names cannot be taken. */
export const OPERATOR = 'operator';
export const HUB = 'hub';

export type Caller = {
  readonly projectId: string;
  readonly agentId: string;
  readonly name: string;
  readonly role: string;
  readonly model: string;
  /** The session that acts. Principals without sessions (the operator, the hub) carry their own id here. */
  readonly sessionId: string;
  /** The session's epoch; null for principals without sessions, which cannot be superseded. */
  readonly epoch: number | null;
  readonly door: Door;
  /** Where the session works: absolute paths below it are turned into project-relative ones. */
  readonly root: string;
  /** The agent whose session this is, when a registered sub-agent acts in it. */
  readonly parentId: string | null;
  /** Who made it, if it was made to be enrolled as. */
  readonly spawnedBy?: string | null;
};

/** An agent as the sender of something that no call of its own causes: the hub's notices, a reminder that fires. */
export function senderOf(agent: AgentRow, sessionId: string = agent.id): Caller {
  return {
    projectId: agent.projectId,
    agentId: agent.id,
    name: agent.name,
    role: agent.role,
    model: agent.model,
    sessionId,
    epoch: null,
    door: 'cli',
    root: '',
    parentId: agent.parentId,
    spawnedBy: agent.spawnedBy,
  };
}

/** An agent as the caller that its session makes it. */
export function toCaller(agent: AgentRow, session: SessionRow): Caller {
  return {
    projectId: agent.projectId,
    agentId: agent.id,
    name: agent.name,
    role: agent.role,
    model: agent.model,
    sessionId: session.id,
    epoch: session.epoch,
    door: session.door,
    root: session.root,
    parentId: agent.parentId,
    spawnedBy: agent.spawnedBy,
  };
}

export function authorityOf(role: string): Authority {
  return PRIVILEGED_ROLES.find((privileged) => privileged === role) ?? (role === METRICS ? METRICS : 'agent');
}

/** Whether somebody of this role reads mail: everybody but the hub itself, and what only reads numbers. */
export function hasInbox(role: string): boolean {
  return role !== HUB && role !== METRICS;
}

/** Whether somebody of this role is one of the agents of its project. */
export function isAgent(role: string): boolean {
  return hasInbox(role) && role !== OPERATOR;
}

/** Whether this principal may see and act on what belongs to others of its project. */
export function oversees(caller: Pick<Caller, 'role'>): boolean {
  return PRIVILEGED_ROLES.some((privileged) => privileged === caller.role);
}

/** Refuses whoever does not oversee the project. `what` completes "Only managers and the operator may ...". */
export function assertOversees(caller: Caller, what: string): void {
  if (oversees(caller)) return;
  throw new HubError('forbidden', `Only managers and the operator may ${what}; your role is ${caller.role}.`, {
    hint: 'Ask a manager or the operator. Roles are given by configuration (ROOKERY_ROLE, a token), never taken.',
  });
}

/** What the sender is to the recipient: shown with every message, made by the hub. */
export function relationOf(sender: Caller, recipient: AgentRow): Relation {
  const authority = authorityOf(sender.role);
  if (authority === 'operator') return 'human';
  if (authority === 'hub') return 'hub';
  if (recipient.parentId === sender.agentId || recipient.spawnedBy === sender.agentId) return 'parent';
  return sender.parentId === recipient.id || sender.spawnedBy === recipient.id ? 'child' : 'peer';
}
