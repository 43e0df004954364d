// Revoking an agent: from then on nobody can be it and nobody can write to it. Its tokens and its enrolment end, the session that has its name is
// fenced, what it held goes to others as after any end; its history stays. Making it again (an enrolment, a token) lets it in again.

import { type AgentRow, raiseEpoch, setRevoked } from '../store/agents.ts';
import { revokeOpenEnrolment } from '../store/enrolments.ts';
import { latestSession } from '../store/sessions.ts';
import { revokeTokensOf } from '../store/tokens.ts';
import type { Agents } from './agents.ts';
import { authorityOf, type Caller } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import type { Sessions } from './sessions.ts';

export type Revoked = { name: string; tokens: number; sessionId: string | null };

export class Revoking {
  readonly #context: HubContext;
  readonly #agents: Agents;
  readonly #sessions: Sessions;

  constructor(context: HubContext, agents: Agents, sessions: Sessions) {
    this.#context = context;
    this.#agents = agents;
    this.#sessions = sessions;
  }

  /** The operator's act. Errors: `forbidden` for others and for the standing principals, `not_found`, `conflict` when it is revoked already. */
  async revoke(caller: Caller, name: string): Promise<Revoked> {
    if (authorityOf(caller.role) !== 'operator')
      throw new HubError('forbidden', `Only the operator may revoke an agent; your role is ${caller.role}.`, { hint: 'Ask the operator.' });
    return await this.#context.commands.run(caller, { tool: 'agents.revoke' }, async (act) => {
      const agent = await this.#agents.named(act.tx, caller, name);
      return await this.revokeIn(act, agent);
    });
  }

  /** The same within a change that is under way. */
  async revokeIn(act: Act, agent: AgentRow): Promise<Revoked> {
    if (['operator', 'hub'].includes(authorityOf(agent.role)))
      throw new HubError('forbidden', `${agent.name} belongs to every project; nothing was changed.`, { hint: 'Revoke agents only.' });
    if (agent.revokedAt !== null)
      throw new HubError('conflict', `${agent.name} is revoked since ${toIso(agent.revokedAt)}; nothing was changed.`, {
        hint: `rookery agents create ${agent.name} lets it in again.`,
      });
    const tokens = await revokeTokensOf(act.tx, agent.id, act.now);
    await revokeOpenEnrolment(act.tx, agent.id, act.now);
    const session = await latestSession(act.tx, agent.id);
    const isOpen = session !== undefined && (await this.#sessions.endOne(act, session, 'revoked'));
    await raiseEpoch(act.tx, agent.id, agent.epoch + 1);
    await setRevoked(act.tx, agent.id, act.now);
    await act.emit('agent.revoked', agent.id, { name: agent.name, tokens });
    return { name: agent.name, tokens, sessionId: isOpen ? session.id : null };
  }
}
