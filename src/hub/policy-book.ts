// The policies in force, as this process knows them: what the configuration says, over it what the operator set for all projects, for one, for one
// agent. Reading them costs nothing; a stamp in the database, looked at with every call and every change, says when they are old. So what is set in
// one process holds for the next call in every other.

import type { Read } from '../store/db.ts';
import { listPolicies, type PolicyRow, policyStamp } from '../store/policies.ts';
import type { LimitName, Limits } from './limits.ts';
import type { Policy } from './policy.ts';
import { POLICY_KEYS } from './policy-keys.ts';
import { RiskyCommands, rulesOf } from './risky-commands.ts';

/** Whom rules are asked for. A caller is one. */
export type Party = { projectId: string; agentId?: string };
type Rules = { limits: Limits; policy: Policy };

const ADDS = new Set(POLICY_KEYS.filter(({ adds }) => adds).map(({ name }) => name));

export class PolicyBook {
  readonly #base: Rules;
  #stamp = '';
  #rows: readonly PolicyRow[] = [];
  readonly #rules = new Map<string, Rules>();
  readonly #risky = new WeakMap<Policy['guard'], RiskyCommands>();
  /** What holds where neither a project nor an agent is meant; it changes under whoever keeps it. */
  readonly limits: Limits;
  readonly policy: Policy;

  constructor(limits: Limits, policy: Policy) {
    this.#base = { limits, policy };
    this.limits = living(() => this.#of('', '').limits);
    this.policy = living(() => this.#of('', '').policy);
  }

  /** What configuration and defaults say, before anybody set anything. */
  get base(): Rules {
    return this.#base;
  }

  get rows(): readonly PolicyRow[] {
    return this.#rows;
  }

  limitsOf({ projectId, agentId = '' }: Party): Limits {
    return this.#of(projectId, agentId).limits;
  }

  policyOf({ projectId, agentId = '' }: Party): Policy {
    return this.#of(projectId, agentId).policy;
  }

  riskyOf(party: Party): RiskyCommands {
    const { guard } = this.policyOf(party);
    const known = this.#risky.get(guard) ?? new RiskyCommands(rulesOf(guard));
    this.#risky.set(guard, known);
    return known;
  }

  /** Reads the policies anew if they changed. `stamp`: as it was just read; otherwise it is read. */
  async refresh(read: Read, stamp?: string): Promise<void> {
    const current = stamp ?? (await policyStamp(read));
    if (current === this.#stamp) return;
    const rows = await listPolicies(read);
    this.#rows = rows;
    this.#rules.clear();
    this.#stamp = current;
  }

  #of(projectId: string, agentId: string): Rules {
    const key = `${projectId} ${agentId}`;
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    // A project or an agent for which nothing was set needs no rules of its own.
    const own = (row: PolicyRow) =>
      row.agentId === agentId || (row.agentId === null && (row.projectId === null || row.projectId === projectId));
    const rules = this.#rows.length === 0 ? this.#base : applied(this.#base, this.#rows.filter(own));
    if (this.#rules.size > 10_000) this.#rules.clear();
    this.#rules.set(key, rules);
    return rules;
  }
}

/** The base with rows applied, the coarsest level first. */
function applied(base: Rules, rows: readonly PolicyRow[]): Rules {
  const depth = (row: PolicyRow) => (row.agentId !== null ? 2 : row.projectId !== null ? 1 : 0);
  const limits: Record<string, number> = { ...base.limits };
  const policy: Record<string, Record<string, unknown>> = {
    approvals: { ...base.policy.approvals },
    guard: { ...base.policy.guard },
    wake: { ...base.policy.wake },
    agent: { ...base.policy.agent },
    tools: { ...base.policy.tools },
  };
  for (const row of [...rows].sort((a, b) => depth(a) - depth(b))) {
    const [group = '', name = ''] = row.key.split('.');
    const value: unknown = JSON.parse(row.value);
    if (group === 'limits' && name in limits) limits[name as LimitName] = Number(value);
    else if (policy[group] !== undefined)
      policy[group][name] =
        ADDS.has(row.key) && Array.isArray(value) ? [...((policy[group][name] as unknown[] | undefined) ?? []), ...value] : value;
  }
  return Object.freeze({ limits: Object.freeze(limits) as Limits, policy: Object.freeze({ ...base.policy, ...policy }) as Policy });
}

/** An object whose fields are always those of the current one. */
function living<T extends object>(current: () => T): T {
  return new Proxy({} as T, {
    get: (_target, field) => Reflect.get(current(), field),
    has: (_target, field) => Reflect.has(current(), field),
    ownKeys: () => Reflect.ownKeys(current()),
    getOwnPropertyDescriptor: (_target, field) => {
      const value: unknown = Reflect.get(current(), field);
      return value === undefined ? undefined : { value, enumerable: true, configurable: true, writable: false };
    },
  });
}
