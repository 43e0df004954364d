// Policies: the operator sets rules while the hub runs (S-37, S-90, A-08), for all projects, one project or one agent; the finest level holds. Each
// change is an event with who and from what to what, in the history of every project that it concerns.

import { findAgentByName } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { deletePolicy, findPolicy, type PolicyRow, type Reach, savePolicy } from '../store/policies.ts';
import { listProjects } from '../store/projects.ts';
import { authorityOf, type Caller, OPERATOR } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { LIMITS, type LimitName } from './limits.ts';
import { DEFAULT_POLICY } from './policy.ts';
import type { Party, PolicyBook } from './policy-book.ts';
import { type Level, POLICY_KEYS, type PolicyKey, parsePolicy, policyKey } from './policy-keys.ts';

/** For whom something is set: all projects, the caller's project, or an agent of it. */
export type Target = { level: 'global' } | { level: 'project' } | { level: 'agent'; agent: string };
export type Origin = Level | 'configuration' | 'default';
export type Layer = { from: Origin; value: unknown; setBy?: string; setAt?: number };
export type Explained = { key: string; value: unknown; from: Origin; finest: Level; layers: Layer[] };
/** Undefined takes the value back. */
export type Wish = { target: Target; key: PolicyKey; value: unknown };
export type Changed = { key: string; level: Level; from: unknown; to: unknown };

/** What stands in an event of a value: rules may be long. */
const SHOWN_CHARS = 2_000;

export class Policies {
  readonly #context: HubContext;
  readonly #book: PolicyBook;

  constructor(context: HubContext, book: PolicyBook) {
    this.#context = context;
    this.#book = book;
  }

  /** Sees to it that what holds is what was set last, wherever that was. */
  async refresh(): Promise<void> {
    await this.#context.db.read((read) => this.#book.refresh(read));
  }

  /** Sets a value. Errors: `forbidden`, `invalid_input` (the old value stays), `not_found` for an unknown agent. */
  async set(caller: Caller, target: Target, name: string, value: unknown): Promise<Changed> {
    const key = policyKey(name);
    const parsed = parsePolicy(key, target.level, value);
    return await this.#change(caller, target, key, parsed);
  }

  /** Takes a value back, so that the next coarser level holds. */
  async unset(caller: Caller, target: Target, name: string): Promise<Changed> {
    return await this.#change(caller, target, policyKey(name), undefined);
  }

  /** What holds in the caller's project, and for an agent of it, and of every value where it comes from; `name`: only that key. */
  async explain(caller: Caller, agent?: string, name?: string): Promise<Explained[]> {
    await this.refresh();
    const { agentId } =
      agent === undefined ? { agentId: null } : await this.#context.db.read((read) => reachOf(read, caller.projectId, agent));
    const party: Party = { projectId: caller.projectId, ...(agentId === null ? {} : { agentId }) };
    const keys = name === undefined ? POLICY_KEYS : [policyKey(name)];
    return keys.map((key) => this.#explain(key, party));
  }

  #explain(key: PolicyKey, party: Party): Explained {
    const rows = this.#book.rows.filter((row) => row.key === key.name);
    const layers: Layer[] = [];
    const add = (from: Level, row: PolicyRow | undefined) => {
      if (row !== undefined) layers.push({ from, value: JSON.parse(row.value), setBy: row.setBy, setAt: row.setAt });
    };
    add(
      'agent',
      rows.find((row) => row.agentId !== null && row.agentId === party.agentId),
    );
    add(
      'project',
      rows.find((row) => row.agentId === null && row.projectId === party.projectId),
    );
    add(
      'global',
      rows.find((row) => row.projectId === null),
    );
    const [configured, byDefault] = [currentOf(key, this.#book.base), currentOf(key, { limits: DEFAULTS, policy: DEFAULT_POLICY })];
    if (JSON.stringify(configured) !== JSON.stringify(byDefault)) layers.push({ from: 'configuration', value: configured });
    layers.push({ from: 'default', value: byDefault });
    const value = currentOf(key, { limits: this.#book.limitsOf(party), policy: this.#book.policyOf(party) });
    return { key: key.name, value, from: layers[0]?.from ?? 'default', finest: key.finest, layers };
  }

  async #change(caller: Caller, target: Target, key: PolicyKey, value: unknown): Promise<Changed> {
    assertOperator(caller);
    const [changed] = await this.#changeAll(caller, [{ target, key, value }]);
    if (changed === undefined) throw new Error('a change of one policy answered none');
    return changed;
  }

  /** Sets what an import brings for all projects; undefined takes a value back. Errors: `invalid_input`; then nothing is changed. */
  async bring(caller: Caller, values: readonly { key: string; value: unknown }[]): Promise<void> {
    assertOperator(caller);
    const target: Target = { level: 'global' };
    const wishes = values.map(({ key, value }) => ({
      target,
      key: policyKey(key),
      value: value === undefined ? undefined : parsePolicy(policyKey(key), 'global', value),
    }));
    if (wishes.length > 0) await this.#changeAll(caller, wishes);
  }

  /** The same within a change that is under way, by the operator; undefined takes a value back. Others know of it with their next call. */
  async changeIn(act: Act, caller: Caller, { target, key, value }: Wish): Promise<Changed> {
    const reach = await this.#reach(act, target);
    const known = await findPolicy(act.tx, reach, key.name);
    const from: unknown = known === undefined ? null : JSON.parse(known.value);
    const stamp = this.#context.ids.next('pol');
    if (value === undefined) await deletePolicy(act.tx, reach, key.name, stamp);
    else await savePolicy(act.tx, { ...reach, key: key.name, value: JSON.stringify(value), setBy: caller.name, setAt: act.now }, stamp);
    const changed: Changed = { key: key.name, level: target.level, from, to: value ?? null };
    await tell(act, target, changed);
    return changed;
  }

  async #changeAll(caller: Caller, wishes: readonly Wish[]): Promise<Changed[]> {
    const { changes } = await this.#context.commands.run(caller, { tool: 'config' }, async (act) => {
      const made: Changed[] = [];
      for (const wish of wishes) made.push(await this.changeIn(act, caller, wish));
      return { changes: made };
    });
    for (const [index, { target }] of wishes.entries()) {
      const changed = changes[index];
      if (target.level === 'global' && changed !== undefined) await this.#tellOthers(caller, target, changed);
    }
    await this.refresh();
    return changes;
  }

  async #reach(act: Act, target: Target): Promise<Reach> {
    if (target.level === 'global') return { projectId: null, agentId: null };
    if (target.level === 'project') return { projectId: act.projectId, agentId: null };
    return await reachOf(act.tx, act.projectId, target.agent);
  }

  /** What is set for all projects stands in the history of each. */
  async #tellOthers(caller: Caller, target: Target, changed: Changed): Promise<void> {
    for (const { id } of await this.#context.db.read(listProjects)) {
      if (id === caller.projectId) continue;
      const operator = await this.#context.db.read((read) => findAgentByName(read, id, OPERATOR));
      if (operator !== undefined) await this.#context.commands.runAs(id, { agentId: operator.id }, (act) => tell(act, target, changed));
    }
  }
}

function assertOperator(caller: Caller): void {
  if (authorityOf(caller.role) !== 'operator')
    throw new HubError('forbidden', 'Only the operator sets policies.', { hint: 'Ask the person who runs the hub.' });
}

async function reachOf(read: Read, projectId: string, name: string): Promise<Reach> {
  const agent = await findAgentByName(read, projectId, name);
  if (agent === undefined)
    throw new HubError('not_found', `No agent of this project is called ${name.slice(0, 40)}; nothing was changed.`, {
      hint: 'rookery agents lists them.',
    });
  return { projectId, agentId: agent.id };
}

async function tell(act: Act, target: Target, { key, level, from, to }: Changed): Promise<void> {
  const of = target.level === 'agent' ? { agent: target.agent } : {};
  await act.emit('policy.changed', key, { key, level, ...of, from: shown(from), to: shown(to) });
}

function shown(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARS ? value : `${text.slice(0, SHOWN_CHARS)}…`;
}

const DEFAULTS = Object.fromEntries(Object.entries(LIMITS).map(([name, { value }]) => [name, value])) as Record<LimitName, number>;

function currentOf(key: PolicyKey, rules: { limits: object; policy: object }): unknown {
  const [group = '', name = ''] = key.name.split('.');
  if (group === 'limits') return Reflect.get(rules.limits, name);
  const values: unknown = Reflect.get(rules.policy, group);
  return values !== null && typeof values === 'object' ? Reflect.get(values, name) : undefined;
}
