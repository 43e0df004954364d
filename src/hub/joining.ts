// Joining: what an agent says of itself. Another name, a card (role, capabilities, status), or a sub-agent of its own session.
// It gives no authority: privileged names and roles come from configuration or the operator (C15).

import {
  type AgentRow,
  capabilitiesOf,
  findAgent,
  findAgentByName,
  listAgents,
  replaceCapabilities,
  updateAgent,
} from '../store/agents.ts';
import { findSession, latestSession } from '../store/sessions.ts';
import { authorityOf, type Caller } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { assertCapability, assertLabel, assertName } from './names.ts';
import { isLive } from './presence.ts';
import { assertNoLookAlike, registerAgent } from './registering.ts';
import type { Attachment, Sessions } from './sessions.ts';

export type JoinRequest = {
  name?: string | undefined;
  role?: string | undefined;
  description?: string | undefined;
  capabilities?: string[] | undefined;
  model?: string | undefined;
  status?: string | undefined;
  takeover?: boolean | undefined;
  childOfMe?: boolean | undefined;
};

export class Joining {
  readonly #context: HubContext;
  readonly #sessions: Sessions;

  constructor(context: HubContext, sessions: Sessions) {
    this.#context = context;
    this.#sessions = sessions;
  }

  /**
   * `join`: takes another name, fills in the card, or registers a sub-agent. Answers the caller as it is from now on and the previous name.
   * Errors: `forbidden` for a privileged name or role that configuration did not give, `agent_busy`, `conflict`.
   */
  async join(
    caller: Caller,
    attachment: Attachment,
    request: JoinRequest,
    intent: Intent,
  ): Promise<{ caller: Caller; previousName: string; replayed: boolean }> {
    if (request.name !== undefined) assertName(request.name);
    if (request.role !== undefined) assertLabel('role', request.role);
    for (const capability of request.capabilities ?? []) assertCapability(capability);
    // Who the connection becomes is never taken from a stored result: a replayed key changes nothing, least of all who somebody is.
    let becomes = caller;
    const { replayed, ...result } = await this.#context.commands.run(caller, intent, async (act) => {
      const self = await this.#self(act, caller);
      if (request.childOfMe === true) {
        await this.#registerChild(act, caller, self, request);
        return { previousName: self.name };
      }
      if (request.role !== undefined && request.role !== self.role && request.role !== attachment.role) assertSelfGiven(request.role);
      const next =
        request.name === undefined || request.name === self.name ? caller : await this.#rename(act, caller, self, attachment, request);
      becomes = await this.#updateCard(act, next, request);
      return { previousName: self.name };
    });
    return { ...result, caller: becomes, replayed: replayed === true };
  }

  async #rename(act: Act, caller: Caller, self: AgentRow, attachment: Attachment, request: JoinRequest): Promise<Caller> {
    if (attachment.door === 'http') {
      throw new HubError('forbidden', `This session is ${self.name} by its credential and cannot take another name.`, {
        hint: 'Ask the operator for a token in the other name: rookery token create --agent NAME',
      });
    }
    const name = request.name ?? self.name;
    const other = await findAgentByName(act.tx, act.projectId, name);
    if (other === undefined) {
      await assertNoLookAlike(act, name, self.id);
      if (!(await updateAgent(act.tx, { ...self, name, nameSource: 'given', lastSeenAt: act.now }))) throw changedMeanwhile();
      await act.emit('agent.changed', self.id, { name, previous_name: self.name });
      return { ...caller, name };
    }
    const next = await this.#sessions.take(act, other, { ...attachment, nameByArgument: true, takeover: request.takeover });
    const old = await findSession(act.tx, caller.sessionId);
    if (old !== undefined) await this.#sessions.endOne(act, old, 'left');
    return next;
  }

  async #registerChild(act: Act, caller: Caller, self: AgentRow, request: JoinRequest): Promise<void> {
    if (request.name === undefined)
      throw new HubError('invalid_input', 'name is required with child_of_me.', {
        hint: 'For example: join({ name: "tester", child_of_me: true })',
      });
    if (request.role !== undefined) assertSelfGiven(request.role);
    const found = await findAgentByName(act.tx, act.projectId, request.name);
    await this.#assertRoomForChild(act, self, found);
    if (found === undefined) {
      const role = request.role ?? 'agent';
      const child = await registerAgent(act, this.#context.ids, {
        name: request.name,
        nameSource: 'given',
        role,
        client: self.client,
        parentId: self.id,
        parentSessionId: caller.sessionId,
      });
      return await this.#fillCard(act, child, request);
    }
    const holder = await latestSession(act.tx, found.id);
    if (found.parentId !== self.id || isLive(this.#context, holder)) {
      throw new HubError('conflict', `The name ${request.name} belongs to another agent.`, {
        hint: 'Choose another name for the sub-agent.',
      });
    }
    await this.#fillCard(act, { ...found, parentId: self.id, parentSessionId: caller.sessionId }, request);
  }

  async #assertRoomForChild(act: Act, self: AgentRow, found: AgentRow | undefined): Promise<void> {
    const { children } = this.#context.limitsOf({ projectId: act.projectId, agentId: self.id });
    const count = (await listAgents(act.tx, act.projectId)).filter((agent) => agent.parentId === self.id && agent.id !== found?.id).length;
    if (count < children) return;
    throw new HubError('limit_reached', `You have ${count} sub-agents, the limit is ${children}; nothing was registered.`, {
      hint: 'Register a name again that is no longer used.',
    });
  }

  async #updateCard(act: Act, caller: Caller, request: JoinRequest): Promise<Caller> {
    const agent = await this.#self(act, caller);
    await this.#fillCard(act, agent, request);
    return { ...caller, name: agent.name, role: request.role ?? agent.role, model: request.model ?? agent.model };
  }

  async #fillCard(act: Act, agent: AgentRow, request: JoinRequest): Promise<void> {
    const card = {
      role: request.role ?? agent.role,
      description: request.description ?? agent.description,
      model: request.model ?? agent.model,
      status: request.status ?? agent.status,
    };
    if (!(await updateAgent(act.tx, { ...agent, ...card, lastSeenAt: act.now }))) throw changedMeanwhile();
    if (request.capabilities !== undefined) await replaceCapabilities(act.tx, agent.id, request.capabilities);
    await act.emit('agent.changed', agent.id, { ...card, capabilities: await capabilitiesOf(act.tx, agent.id) });
  }

  async #self(act: Act, caller: Caller): Promise<AgentRow> {
    const self = await findAgent(act.tx, caller.agentId);
    if (self === undefined) throw new HubError('not_found', 'This session’s agent is gone.', { hint: 'Start a new session.' });
    return self;
  }
}

/** What an agent may call itself. */
function assertSelfGiven(role: string): void {
  if (authorityOf(role) === 'agent') return;
  throw new HubError('forbidden', `role: ${role} is given by configuration or the operator, not taken.`, {
    hint: 'Set ROOKERY_ROLE for this session, or ask for a token with that role. Other role names are free.',
  });
}

function changedMeanwhile(): HubError {
  return new HubError('conflict', 'The card was changed by another call in between; nothing was changed.', {
    hint: 'Call whoami, then join again.',
  });
}
