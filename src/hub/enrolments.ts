// Enrolling: a manager or the operator makes an agent and is given a token by which exactly one client becomes it, under that name and role,
// without a person typing either. What enrolled may come back with the token, because configurations are kept and clients restart; anybody
// else is refused and told what happened (decision 20).
//
//   created -> used | revoked (another was made for the same agent) | expired

import { createHash } from 'node:crypto';
import { type AgentRow, findAgent, findAgentByName, updateAgent } from '../store/agents.ts';
import {
  countOpenEnrolments,
  type EnrolmentRow,
  findEnrolmentByHash,
  insertEnrolment,
  revokeOpenEnrolment,
  useEnrolment,
} from '../store/enrolments.ts';
import { latestSession } from '../store/sessions.ts';
import { insertToken } from '../store/tokens.ts';
import { assertOversees, authorityOf, type Caller, oversees } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { assertLabel, assertName } from './names.ts';
import { isLive } from './presence.ts';
import { assertUsable, ENROLMENT, enrolmentHash } from './redeeming.ts';
import { registerAgent } from './registering.ts';
import { readmit } from './revoked.ts';

export type EnrolmentWish = {
  name: string;
  role?: string | undefined;
  model?: string | undefined;
  description?: string | undefined;
  /** How long the token may wait to be used. */
  lifeMs?: number | undefined;
};

export type Enrolment = { enrolmentId: string; name: string; role: string; model: string; expiresAt: number };

export class Enrolments {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /**
   * Makes an agent, or takes one that this caller made before, and a token for it. The token is in the answer of the first call only: a replay
   * has the rest. Errors: `forbidden` for a role that is not below the caller's own, `conflict`, `agent_busy`, `limit_reached`.
   */
  async create(caller: Caller, wish: EnrolmentWish, intent: Intent): Promise<Enrolment & { token?: string; replayed?: boolean }> {
    assertOversees(caller, 'make agents');
    assertName(wish.name);
    if (wish.role !== undefined) assertLabel('role', wish.role);
    const { ids, limits } = this.#context;
    const token = `${ENROLMENT}${ids.token()}`;
    const lifeMs = Math.min(wish.lifeMs ?? limits.enrolmentMs, LIMITS.enrolmentMs.hard);
    const made = await this.#context.commands.run(caller, intent, async (act) => {
      const open = await countOpenEnrolments(act.tx, act.projectId, act.now);
      if (open >= limits.openEnrolments) throw tooMany(open, limits.openEnrolments);
      const agent = await this.#agentFor(act, caller, wish);
      await revokeOpenEnrolment(act.tx, agent.id, act.now);
      const row: EnrolmentRow = {
        id: ids.next('enr'),
        projectId: act.projectId,
        agentId: agent.id,
        createdBy: caller.agentId,
        createdAt: act.now,
        expiresAt: act.now + lifeMs,
        usedAt: null,
        seat: null,
        revokedAt: null,
      };
      await insertEnrolment(act.tx, row, enrolmentHash(token));
      await act.emit('enrolment.created', row.id, { agent: agent.name, role: agent.role, expires_at: row.expiresAt });
      return { enrolmentId: row.id, name: agent.name, role: agent.role, model: agent.model, expiresAt: row.expiresAt };
    });
    return made.replayed === true ? made : { ...made, token };
  }

  /** For a client that connects over HTTP: turns an enrolment into a token of the agent. Errors: `unauthorized`, `expired`, `conflict`. */
  async exchange(token: string): Promise<{ token: string; name: string; role: string; projectId: string; expiresAt: number }> {
    const { db, ids, limits, commands } = this.#context;
    const found = await db.read((read) => findEnrolmentByHash(read, enrolmentHash(token)));
    if (found === undefined)
      throw new HubError('unauthorized', 'This enrolment is not known to the hub.', { hint: 'Ask whoever gave it for another.' });
    const secret = ids.token();
    return await commands.runAs(found.projectId, { agentId: found.createdBy }, async (act) => {
      const agent = await findAgent(act.tx, found.agentId);
      const enrolment = await findEnrolmentByHash(act.tx, enrolmentHash(token));
      if (agent === undefined || enrolment === undefined) throw new HubError('not_found', 'The agent of this enrolment is gone.');
      assertUsable(enrolment, agent.name, act.now);
      await useEnrolment(act.tx, enrolment.id, act.now, { clientName: 'http', host: '', root: '' });
      const id = ids.next('tok');
      const hash = createHash('sha256').update(secret).digest('hex');
      const expiresAt = act.now + limits.tokenLifeMs;
      const row = { id, projectId: act.projectId, agentId: agent.id, hash, label: enrolment.id, createdAt: act.now, expiresAt };
      await insertToken(act.tx, { ...row, usedAt: null, revokedAt: null });
      await act.emit('token.created', id, { agent: agent.name, role: agent.role });
      await act.emit('agent.enrolled', agent.id, { name: agent.name, enrolment: enrolment.id, client: 'http' });
      return { token: secret, name: agent.name, role: agent.role, projectId: act.projectId, expiresAt };
    });
  }

  async #agentFor(act: Act, caller: Caller, { name, role = 'agent', ...wish }: EnrolmentWish): Promise<AgentRow> {
    const card = { description: wish.description ?? '', model: wish.model ?? '' };
    const found = await findAgentByName(act.tx, act.projectId, name);
    assertBelow(caller, found?.role ?? role);
    if (found === undefined) {
      const base = { name, nameSource: 'given' as const, role, client: '', spawnedBy: caller.agentId };
      return await registerAgent(act, this.#context.ids, { ...base, ...card });
    }
    assertMayEnrolAgain(caller, found, role);
    const session = await latestSession(act.tx, found.id);
    if (session !== undefined && isLive(this.#context, session)) {
      throw new HubError('agent_busy', `${name} is there now (${session.clientName}, ${session.id}); nothing was made.`, {
        hint: 'Write to it, or choose another name for a further agent.',
      });
    }
    const next = {
      ...(await readmit(act, found)),
      description: card.description || found.description,
      model: card.model || found.model,
      spawnedBy: caller.agentId,
    };
    await updateAgent(act.tx, next);
    return next;
  }
}

/** A manager makes workers, the operator also managers; nobody makes an operator. */
function assertBelow(caller: Caller, role: string): void {
  const authority = authorityOf(role);
  if (authority === 'agent' || (authority === 'manager' && authorityOf(caller.role) === 'operator')) return;
  throw new HubError('forbidden', `A ${caller.role} may not make an agent with the role ${role}; nothing was made.`, {
    hint: 'Roles below your own only; the operator makes managers: rookery agents create NAME --role manager',
  });
}

function assertMayEnrolAgain(caller: Caller, agent: AgentRow, role: string): void {
  if (role !== 'agent' && role !== agent.role) {
    throw new HubError('conflict', `${agent.name} exists and has the role ${agent.role}; nothing was made.`, {
      hint: 'Leave the role out, or choose another name.',
    });
  }
  if (authorityOf(caller.role) === 'operator' || (oversees(caller) && agent.spawnedBy === caller.agentId)) return;
  throw new HubError('conflict', `The name ${agent.name} belongs to an agent that you did not make; nothing was made.`, {
    hint: 'Choose another name.',
  });
}

function tooMany(open: number, limit: number): HubError {
  return new HubError('limit_reached', `${open} enrolments of this project wait to be used, the limit is ${limit}; nothing was made.`, {
    hint: 'Start the agents that were made, or let their enrolments expire.',
  });
}
