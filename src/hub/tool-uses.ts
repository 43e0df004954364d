// Tools that a client's model uses: told of by its hooks before and after. While one is open it is in flight, so that an agent is never taken for
// idle in the middle of concurrent tools; afterwards it is the record of what was done (C-62): name, duration and a digest of the
// arguments, never the arguments. Before a tool runs, the checks of PreToolUse may refuse it.

import { createHash } from 'node:crypto';
import { findSession, type SessionRow } from '../store/sessions.ts';
import {
  endToolUse,
  giveUpToolUses,
  insertToolUse,
  listToolUses,
  refusedToolUsesIn,
  setToolDuration,
  type ToolOutcome,
  type ToolUseRow,
} from '../store/tool-uses.ts';
import { markHooked } from '../store/turns.ts';
import { assertOversees, type Caller } from './caller.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { oneLine } from './frame.ts';
import { beginTurn, type Moment } from './turns.ts';

export type ToolUse = {
  id: string;
  tool: string;
  /** The arguments as the client told them; they are digested and checked, and not kept. */
  args: unknown;
  /** The folder the client works in. */
  cwd: string;
  /** The sub-agent that uses it, if it is not the agent itself. */
  subAgent: string;
};

/** `deny` keeps the tool from running, `allow` spares the person a question; `none`: the client goes by its own rules. `reason`: facts for the model. */
export type Verdict = { decision: 'none' | 'allow' | 'deny'; reason: string };

/** Looks at a tool before it runs. */
export type ToolCheck = (caller: Caller, use: ToolUse) => Promise<Verdict>;

const NAME_CHARS = 200;
const REASON_CHARS = 600;

export class ToolUses {
  readonly #context: HubContext;
  readonly #checks: readonly ToolCheck[];

  constructor(context: HubContext, checks: readonly ToolCheck[]) {
    this.#context = context;
    this.#checks = checks;
  }

  /** A tool is about to run. Answers what the checks say: a refusal of one counts more than the consent of others. */
  async start(caller: Caller, use: ToolUse, moment: Moment): Promise<Verdict> {
    const verdicts: Verdict[] = [];
    for (const check of this.#checks) verdicts.push(await check(caller, use));
    const verdict =
      verdicts.find(({ decision }) => decision === 'deny') ??
      verdicts.find(({ decision }) => decision === 'allow') ??
      verdicts.find(({ reason }) => reason !== '');
    await this.#note(caller, async (act, session) => {
      // A sub-agent may work on in the background of an agent that has stopped.
      const isLate = use.subAgent === '' && !(await beginTurn(act, session, moment));
      const over: ToolOutcome | null = verdict?.decision === 'deny' ? 'refused' : isLate ? 'lost' : null;
      const reason = over === 'refused' ? oneLine(verdict?.reason ?? '', REASON_CHARS) : null;
      await insertToolUse(act.tx, { ...this.#row(act, caller, use, moment.at, over), reason });
    });
    return verdict ?? { decision: 'none', reason: '' };
  }

  /** A tool has run. `durationMs`: as the client measured it. */
  async end(caller: Caller, use: ToolUse, moment: Moment, outcome: 'ok' | 'failed', durationMs: number | null): Promise<void> {
    await this.#note(caller, (act) => this.#end(act, caller, use, moment, outcome, durationMs));
  }

  /** Several tools have run together: those whose end was told singly stay as they are. */
  async endBatch(caller: Caller, uses: readonly (ToolUse & { outcome: 'ok' | 'failed' })[], moment: Moment): Promise<void> {
    await this.#note(caller, async (act) => {
      for (const use of uses) await this.#end(act, caller, use, moment, use.outcome, null);
    });
  }

  /** A sub-agent has stopped: what it had in flight is over. It has no session of its own, so its parent's record has its label. */
  async subAgentStopped(caller: Caller, subAgent: string): Promise<void> {
    await this.#note(caller, async (act, session) => {
      const lost = await giveUpToolUses(act.tx, session.id, act.now, labelOf(subAgent));
      await act.emit('subagent.stopped', session.id, { agent: caller.name, sub_agent: labelOf(subAgent), tools_lost: lost });
    });
  }

  /** The latest uses of an agent, the newest first. */
  async list(caller: Caller, agentId: string, limit: number): Promise<ToolUseRow[]> {
    if (caller.agentId !== agentId) assertOversees(caller, 'see what tools others use');
    return await this.#context.db.read((read) => listToolUses(read, agentId, limit));
  }

  /** What the clients of a project were kept from, the newest first. */
  async refusals(caller: Caller, limit: number): Promise<(ToolUseRow & { agent: string })[]> {
    assertOversees(caller, 'see what others were kept from');
    return await this.#context.db.read((read) => refusedToolUsesIn(read, caller.projectId, limit));
  }

  async #end(act: Act, caller: Caller, use: ToolUse, { at }: Moment, outcome: 'ok' | 'failed', durationMs: number | null): Promise<void> {
    const endedAt = Math.min(at, act.now);
    if (await endToolUse(act.tx, caller.sessionId, use.id, { endedAt, durationMs, outcome })) return;
    const started = endedAt - (durationMs ?? 0);
    const isNew = await insertToolUse(act.tx, { ...this.#row(act, caller, use, started, outcome), endedAt, durationMs });
    if (!isNew && durationMs !== null) await setToolDuration(act.tx, caller.sessionId, use.id, durationMs);
  }

  /** Diagnostics: one relaxed change, and none at all when the session is unknown. */
  async #note(caller: Caller, change: (act: Act, session: SessionRow) => Promise<void>): Promise<void> {
    await this.#context.commands.runAs(
      caller.projectId,
      caller,
      async (act) => {
        const session = await findSession(act.tx, caller.sessionId);
        if (session === undefined) return;
        await change(act, session);
        await markHooked(act.tx, session.id, act.now);
      },
      'relaxed',
    );
  }

  #row(act: Act, caller: Caller, use: ToolUse, startedAt: number, outcome: ToolOutcome | null): ToolUseRow {
    return {
      sessionId: caller.sessionId,
      toolUseId: use.id,
      projectId: act.projectId,
      agentId: caller.agentId,
      subAgent: labelOf(use.subAgent),
      tool: oneLine(use.tool, NAME_CHARS),
      argsDigest: createHash('sha256').update(canonicalJson(use.args)).digest('hex'),
      startedAt: Math.min(startedAt, act.now),
      endedAt: outcome === null ? null : act.now,
      durationMs: null,
      outcome,
      reason: null,
    };
  }
}

function labelOf(subAgent: string): string {
  return oneLine(subAgent, NAME_CHARS);
}
