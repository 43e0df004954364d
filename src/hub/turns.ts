// Turns: when an agent's model is at work, as its client's hooks tell, and what each turn came to. A turn begins with a prompt and ends when the
// model stops; an end that nobody tells (the person interrupted, the client died) is found by the next prompt, by the end of the session, or by
// time. From this `busy` and `idle` are true, and there is one row per turn (H-44).

import { findAgent, findAgentByName } from '../store/agents.ts';
import { findSession, type SessionRow } from '../store/sessions.ts';
import { countInFlight, countTools, giveUpToolUses, giveUpToolUsesBefore } from '../store/tool-uses.ts';
import {
  closeTurn,
  findTurn,
  listTurns,
  markHooked,
  openTurn,
  saveTurn,
  sessionsInTurn,
  sumTurns,
  type TurnResult,
  type TurnRow,
  type TurnSums,
} from '../store/turns.ts';
import { outstandingAttempt } from '../store/wake-attempts.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import type { Ids } from './ids.ts';
import { isWorking } from './presence.ts';
import { CLIENT_KINDS, type Surroundings, type TurnFacts } from './surroundings.ts';
import { tellsOf } from './wake-notice.ts';

/**
 * How a turn is named, when its event happened (hooks may come late and out of order), where its client writes it down, and the prompt that it
 * begins with, where that is told.
 */
export type Moment = { turnKey: string | null; at: number; transcript?: string | null; prompt?: string };
export type TurnView = Omit<TurnRow, 'projectId' | 'agentId'> & { agent: string };

export class Turns {
  readonly #context: HubContext;
  readonly #surroundings: Surroundings;

  constructor(context: HubContext, surroundings: Surroundings) {
    this.#context = context;
    this.#surroundings = surroundings;
  }

  /** Since when a turn is under way, and the client's name for it; null when none is. */
  async underWay(caller: Caller): Promise<{ since: number; turnKey: string | null } | null> {
    const session = await this.#context.db.read((read) => findSession(read, caller.sessionId));
    const since = session?.turnStartedAt ?? null;
    return since === null ? null : { since, turnKey: session?.turnKey ?? null };
  }

  /**
   * A prompt was given. `before`: what the transcript tells of a turn that is still open: one that goes on takes the prompt in (a wake-up in
   * mid-turn), any other has ended without a word.
   */
  async begin(caller: Caller, moment: Moment, before: TurnFacts | null): Promise<void> {
    await this.#note(caller, async (act) => {
      const session = await findSession(act.tx, caller.sessionId);
      if (session === undefined || session.endedAt !== null) return;
      const isOpen = session.turnStartedAt !== null;
      const goesOn = isOpen && (before?.ended === 'open' || (moment.turnKey !== null && session.turnKey === moment.turnKey));
      if (isOpen && !goesOn)
        await endTurn(act, this.#context.ids, session, before?.ended === 'completed' ? 'completed' : 'interrupted', before);
      if (!goesOn) await beginTurn(act, { ...session, turnStartedAt: null }, moment);
      await markHooked(act.tx, session.id, act.now);
    });
  }

  /** The model stopped. `facts`: what the transcript tells of the turn. */
  async end(caller: Caller, moment: Moment, result: TurnResult, facts: TurnFacts | null): Promise<void> {
    await this.#note(caller, async (act) => {
      const session = await findSession(act.tx, caller.sessionId);
      if (session === undefined) return;
      // A turn that took in another prompt keeps the name it began with.
      const turnKey = session.turnStartedAt === null ? moment.turnKey : (session.turnKey ?? moment.turnKey);
      await endTurn(act, this.#context.ids, { ...session, turnKey }, result, facts);
      await markHooked(act.tx, session.id, act.now);
    });
  }

  /** The client has hooks, as far as is known without one of this session. */
  async hasHooks(caller: Caller): Promise<void> {
    const { db, time } = this.#context;
    await db.write(caller.projectId, (tx) => markHooked(tx, caller.sessionId, time.now()), 'relaxed');
  }

  /** The client waits for its person: whatever was under way is over. */
  async idle(caller: Caller): Promise<void> {
    await this.#note(caller, async (act) => {
      const session = await findSession(act.tx, caller.sessionId);
      if (session === undefined) return;
      if (session.turnStartedAt !== null) await endTurn(act, this.#context.ids, session, 'interrupted', null);
      else await giveUpToolUses(act.tx, session.id, act.now);
      await markHooked(act.tx, session.id, act.now);
    });
  }

  /** Turns that ended since then, the newest first, with what all of them come to. Errors: `not_found` for an unknown agent. */
  async list(
    caller: Caller,
    query: { agent?: string | undefined; since: number; limit: number },
  ): Promise<{ turns: TurnView[]; sums: TurnSums }> {
    assertOversees(caller, 'see the turns of all');
    return await this.#context.commands.look(caller, async (read) => {
      const agent = query.agent === undefined ? null : await findAgentByName(read, caller.projectId, query.agent);
      if (agent === undefined)
        throw new HubError('not_found', 'No agent of this project has that name.', { hint: 'rookery agents lists them.' });
      const limit = Math.min(query.limit, this.#context.limits.turnRows);
      const rows = await listTurns(read, caller.projectId, agent?.id ?? null, query.since, limit);
      const turns: TurnView[] = [];
      for (const { projectId: _project, agentId, ...row } of rows)
        turns.push({ ...row, agent: (await findAgent(read, agentId))?.name ?? 'unknown' });
      return { turns, sums: await sumTurns(read, caller.projectId, agent?.id ?? null, query.since) };
    });
  }

  /** Duty: turns and tools of whose end nobody told in time. */
  async endSilent(): Promise<number> {
    const { commands, db, ids, limits, time } = this.#context;
    const candidates = await db.read((read) => sessionsInTurn(read, time.now() - limits.turnSilentMs, limits.dueBatch));
    let ended = 0;
    for (const id of candidates) {
      const projectId = (await db.read((read) => findSession(read, id)))?.projectId;
      if (projectId === undefined) continue;
      ended += await commands.runAs(projectId, { agentId: 'hub' }, async (act) => {
        const session = await findSession(act.tx, id);
        if (session === undefined || session.turnStartedAt === null) return 0;
        const inFlight = await countInFlight(act.tx, id, act.now - limits.toolSilentMs);
        if (session.endedAt === null && isWorking(this.#context, session, inFlight)) return 0;
        await endTurn(act, ids, session, 'interrupted', null);
        return 1;
      });
    }
    const now = time.now();
    await db.write('', (tx) => giveUpToolUsesBefore(tx, now - limits.toolSilentMs, now), 'relaxed');
    return ended;
  }

  /**
   * Duty: turns that their person interrupted. No hook tells of it, but the transcript does; the server of the session looks, when nothing
   * was heard for a while.
   */
  async endInterrupted(): Promise<number> {
    const { commands, db, host, ids, limits, time } = this.#context;
    const candidates = await db.read((read) => sessionsInTurn(read, time.now() - limits.turnQuietMs, limits.dueBatch));
    let ended = 0;
    for (const id of candidates) {
      const quiet = await db.read((read) => findSession(read, id));
      if (quiet === undefined || quiet.host !== host.key || quiet.pid !== host.pid) continue;
      const facts = (quiet.hookedAt ?? 0) > time.now() - limits.turnQuietMs ? null : await this.#seen(quiet);
      if (facts?.ended !== 'interrupted') continue;
      ended += await commands.runAs(quiet.projectId, { agentId: 'hub' }, async (act) => {
        const session = await findSession(act.tx, id);
        if (session === undefined || session.turnStartedAt !== quiet.turnStartedAt || session.hookedAt !== quiet.hookedAt) return 0;
        await endTurn(act, ids, session, 'interrupted', facts);
        return 1;
      });
    }
    return ended;
  }

  /** Diagnostics, which nobody is promised, and whose client waits: not synced. */
  async #note(caller: Caller, change: (act: Act) => Promise<void>): Promise<void> {
    await this.#context.commands.runAs(caller.projectId, caller, change, 'relaxed');
  }

  async #seen({ clientKey, transcript, turnKey, turnStartedAt }: SessionRow): Promise<TurnFacts | null> {
    const client = CLIENT_KINDS.find((kind) => clientKey?.startsWith(`${kind}:`));
    if (client === undefined || transcript === null) return null;
    const query = { client, path: transcript, since: turnStartedAt, turnKey, receipts: [], lastWords: null };
    return (await this.#surroundings.transcript(query))?.turn ?? null;
  }
}

/** Opens a turn where none is; not for a hook that comes after the end of the turn it belongs to, which is answered with false. */
export async function beginTurn(act: Act, session: SessionRow, { turnKey, at, transcript = null, prompt }: Moment): Promise<boolean> {
  if (session.turnStartedAt !== null || session.endedAt !== null) return true;
  const done = turnKey === null ? undefined : await findTurn(act.tx, session.id, turnKey);
  if (done !== undefined && done.endedAt >= at) return false;
  const woken = await outstandingAttempt(act.tx, session.agentId);
  await openTurn(act.tx, session.id, {
    startedAt: done?.startedAt ?? Math.min(at, act.now),
    turnKey,
    // Its person may have been quicker than what was to wake it.
    door: woken !== undefined && tellsOf(prompt, woken.id) ? woken.door : null,
    transcript,
  });
  await act.emit('turn.started', session.id, { agent: (await findAgent(act.tx, session.agentId))?.name ?? '' });
  return true;
}

/** Closes the turn of a session and writes its row. A session that was in none, and of which nothing is known, gets none. */
export async function endTurn(act: Act, ids: Ids, session: SessionRow, result: TurnResult, facts: TurnFacts | null): Promise<void> {
  const known = session.turnKey === null ? undefined : await findTurn(act.tx, session.id, session.turnKey);
  const starts = [known?.startedAt, session.turnStartedAt, facts?.startedAt].filter((at) => at != null);
  await giveUpToolUses(act.tx, session.id, act.now);
  await closeTurn(act.tx, session.id, act.now);
  if (starts.length === 0) return;
  // Its first hook may have come late, or before its agent was known.
  const from = Math.min(...starts, act.now);
  const tools = facts?.tools ?? (await countTools(act.tx, session.id, from));
  const toolCalls = Object.values(tools).reduce((sum, count) => sum + count, 0);
  const agent = await findAgent(act.tx, session.agentId);
  await saveTurn(act.tx, {
    id: ids.next('trn'),
    projectId: session.projectId,
    agentId: session.agentId,
    sessionId: session.id,
    turnKey: session.turnKey,
    result,
    wakeDoor: session.turnDoor,
    startedAt: from,
    endedAt: act.now,
    model: facts?.model ?? '',
    inputTokens: facts?.inputTokens ?? null,
    outputTokens: facts?.outputTokens ?? null,
    cacheReadTokens: facts?.cacheReadTokens ?? null,
    cacheWriteTokens: facts?.cacheWriteTokens ?? null,
    toolCalls,
    tools,
  });
  await act.emit('turn.ended', session.id, { agent: agent?.name ?? '', result, duration_ms: act.now - from, tool_calls: toolCalls });
}
