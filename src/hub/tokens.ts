// Credentials for HTTP. A token is 256 bits of chance, shown once and stored as its SHA-256; it says which agent of which project its bearer is.
// A row without a hash, an expired or a revoked one authenticates nobody: there is no way for authentication to be off.

import { createHash } from 'node:crypto';
import { findAgent, findAgentByName } from '../store/agents.ts';
import { findTokenByHash, insertToken, listTokens, markTokenUsed, revokeToken, type TokenRow } from '../store/tokens.ts';
import { assertOversees, authorityOf, type Caller, OPERATOR } from './caller.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { assertLabel, assertName } from './names.ts';
import { registerAgent } from './registering.ts';
import { readmit } from './revoked.ts';

export type Bearer = {
  tokenId: string;
  projectId: string;
  agentId: string;
  name: string;
  role: string;
  /** A signed-in browser: it is the operator of every project, and of the one it names in a request. */
  everyProject?: true;
};

/** How old `used_at` may be before a request refreshes it: it is for the operator's eyes, not for authentication. */
const USED_AT_STEP_MS = 60_000;

export class Tokens {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Makes a token for an agent (created if new) or for the operator. The secret is in the answer and nowhere else. */
  async create(
    caller: Caller,
    wanted: { agent: string; role?: string | undefined; lifeMs?: number | undefined; label?: string | undefined },
  ): Promise<{ id: string; token: string; name: string; role: string; expiresAt: number }> {
    assertOversees(caller, 'create tokens');
    if (wanted.agent !== OPERATOR) assertName(wanted.agent);
    if (wanted.role !== undefined) assertLabel('role', wanted.role);
    if (wanted.role !== undefined && wanted.agent !== OPERATOR && ['operator', 'hub'].includes(authorityOf(wanted.role))) {
      throw new HubError('forbidden', `role: ${wanted.role} belongs to the operator alone.`, {
        hint: 'rookery token create --operator makes an operator token.',
      });
    }
    const lifeMs = Math.min(wanted.lifeMs ?? this.#context.limits.tokenLifeMs, 365 * 86_400_000);
    const secret = this.#context.ids.token();
    return await this.#context.commands.run(caller, { tool: 'token.create' }, async (act) => {
      const found = await findAgentByName(act.tx, act.projectId, wanted.agent);
      assertMayLend(caller, found?.role ?? wanted.role ?? 'agent');
      if (found !== undefined && wanted.role !== undefined && wanted.role !== found.role) {
        throw new HubError('conflict', `${wanted.agent} already has the role ${found.role}; nothing was changed.`, {
          hint: 'Leave the role out, or choose another name.',
        });
      }
      const card = { name: wanted.agent, nameSource: 'given' as const, role: wanted.role ?? 'agent', client: '' };
      const agent = found === undefined ? await registerAgent(act, this.#context.ids, card) : await readmit(act, found);
      const token: TokenRow = {
        id: this.#context.ids.next('tok'),
        projectId: act.projectId,
        agentId: agent.id,
        hash: hashOf(secret),
        label: wanted.label ?? '',
        createdAt: act.now,
        expiresAt: act.now + lifeMs,
        usedAt: null,
        revokedAt: null,
      };
      await insertToken(act.tx, token);
      await act.emit('token.created', token.id, { agent: agent.name, role: agent.role });
      return { id: token.id, token: secret, name: agent.name, role: agent.role, expiresAt: token.expiresAt };
    });
  }

  /** Who the bearer of this secret is. Throws `unauthorized` for anything but a live token. */
  async authenticate(secret: string): Promise<Bearer> {
    const token = secret === '' ? undefined : await this.#context.db.read((read) => findTokenByHash(read, hashOf(secret)));
    const now = this.#context.time.now();
    if (token === undefined) throw refused('This token is not known to the hub.');
    if (token.revokedAt !== null) throw refused('This token was revoked.');
    if (token.expiresAt <= now) throw refused('This token has expired.');
    if (now - (token.usedAt ?? 0) > USED_AT_STEP_MS) {
      await this.#context.db.write(token.projectId, (tx) => markTokenUsed(tx, token.id, now), 'relaxed');
    }
    return { tokenId: token.id, projectId: token.projectId, agentId: token.agentId, name: token.agentName, role: token.agentRole };
  }

  async list(caller: Caller): Promise<(Omit<TokenRow, 'hash'> & { agent: string; role: string })[]> {
    assertOversees(caller, 'list tokens');
    return await this.#context.commands.look(caller, async (read) => {
      const rows = await listTokens(read, caller.projectId);
      return await Promise.all(
        rows.map(async ({ hash: _hash, ...token }) => {
          const agent = await findAgent(read, token.agentId);
          return { ...token, agent: agent?.name ?? 'unknown', role: agent?.role ?? 'unknown' };
        }),
      );
    });
  }

  /** Effective with the next request. */
  async revoke(caller: Caller, id: string): Promise<void> {
    assertOversees(caller, 'revoke tokens');
    await this.#context.commands.run(caller, { tool: 'token.revoke' }, async (act) => {
      if (!(await revokeToken(act.tx, act.projectId, id, act.now)))
        throw new HubError('not_found', 'No live token of that id in this project.', { hint: 'rookery token list' });
      await act.emit('token.revoked', id, {});
      return {};
    });
  }
}

/** Authority is lent by the operator alone: otherwise a manager could make itself the operator (C15). */
function assertMayLend(caller: Caller, role: string): void {
  if (authorityOf(role) === 'agent' || authorityOf(caller.role) === 'operator') return;
  throw new HubError('forbidden', `Only the operator may create tokens with the role ${role}; your role is ${caller.role}.`, {
    hint: 'Ask the operator: rookery token create.',
  });
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function refused(why: string): HubError {
  return new HubError('unauthorized', why, { hint: 'Ask the operator for one: rookery token create --agent NAME' });
}
