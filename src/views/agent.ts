// agent: one agent as it stands: its card, what waits in its inbox, what it still owes or waits for (as its own get_open_threads would say), how
// it is woken, its checkpoint, its sessions, and how its turns and calls have been going. Nothing is taken from its inbox by looking (C4).

import * as z from 'zod';
import { senderOf } from '../hub/caller.ts';
import type { CheckpointView } from '../hub/checkpoints.ts';
import { toIso, toIsoOrNull } from '../hub/clock.ts';
import type { Inspection } from '../hub/inspection.ts';
import { costOf } from '../hub/prices.ts';
import type { TurnView } from '../hub/turns.ts';
import { Connection } from '../tools/connection.ts';
import { getOpenThreads } from '../tools/get-open-threads.ts';
import { renderAgent } from '../tools/words.ts';
import { renderDelivery } from './overview.ts';
import { defineView } from './view.ts';

const INBOX = 100;
const SESSIONS = 20;
const TURNS = 60;
const CALLS = 5_000;
const DAY_MS = 86_400_000;

export const agent = defineView({
  name: 'agent',
  what: 'One agent: card, inbox, open threads as it sees them, sessions, turns, calls',
  input: { name: z.string().min(1).max(64) },
  async run({ hub, caller }, { name }) {
    const { view: card, inspection } = await hub.overview.inspect(caller, name);
    const { agent: row } = card;
    const { prices } = hub.context.policy;
    const [sessions, { checkpoint }, inbox, open, turns, calls] = await Promise.all([
      hub.agents.sessions(caller, name, SESSIONS),
      hub.checkpoints.load(caller, name),
      hub.overview.inbox(caller, name, INBOX),
      openThreadsOf(),
      hub.turns.list(caller, { agent: name, since: hub.context.time.now() - 7 * DAY_MS, limit: TURNS }),
      hub.calls.byTool(caller, CALLS, row.id),
    ]);
    return {
      ...renderAgent(card),
      since: toIso(row.createdAt),
      ...renderInspection(inspection),
      checkpoint: checkpoint === null ? null : renderCheckpoint(checkpoint),
      revoked_at: toIsoOrNull(row.revokedAt),
      inbox: inbox.map(renderDelivery),
      open: open.threads,
      open_more: open.more,
      sessions: sessions.map((session) => ({
        session_id: session.id,
        epoch: session.epoch,
        door: session.door,
        client: `${session.clientName} ${session.clientVersion}`.trim(),
        pid: session.pid,
        root: session.root,
        started_at: toIso(session.startedAt),
        ended_at: toIsoOrNull(session.endedAt),
        end_reason: session.endReason,
      })),
      turns: turns.turns.map((turn) => ({
        started_at: toIso(turn.startedAt),
        ended_at: toIso(turn.endedAt),
        result: turn.result,
        model: turn.model,
        input_tokens: turn.inputTokens,
        output_tokens: turn.outputTokens,
        cache_read_tokens: turn.cacheReadTokens,
        tool_calls: turn.toolCalls,
        woken_by: turn.wakeDoor,
        cost: costOf(prices, turn.model, spentBy(turn)).cost,
      })),
      currency: prices.currency,
      calls: calls.tools.map(({ tool, calls: count, refused, p50, p95 }) => ({ tool, calls: count, refused, p50_ms: p50, p95_ms: p95 })),
    };

    /** The tool itself, asked as the agent: the same code gives the same answer. */
    async function openThreadsOf() {
      const self = senderOf(row);
      const call = { hub, caller: self, connection: Connection.fixed(hub, self, []), key: undefined, args: {}, signal: undefined };
      const { threads, more = 0 } = await getOpenThreads.run(call, {});
      return { threads, more };
    }
  },
});
export type AgentReply = Awaited<ReturnType<typeof agent.run>>;

export type OpenLine = AgentReply['open'][number];

function renderInspection({ doors, attempts, refusals, usage, reminders }: Inspection) {
  return {
    doors: doors.map(({ kind, open, registered, openedAt, provenAt, failures }) => ({
      ...{ door: kind, open, registered, failures },
      opened_at: toIso(openedAt),
      proven_at: toIsoOrNull(provenAt),
    })),
    wakes: attempts.map(({ door, startedAt, unread, outcome, state }) => ({ door, at: toIso(startedAt), unread, state, outcome })),
    refusals: refusals.map(({ tool, subAgent, startedAt, reason }) => ({
      tool,
      sub_agent: subAgent,
      at: toIso(startedAt),
      reason: reason ?? '',
    })),
    context: usage === null ? null : { percent: usage.percent, at: toIso(usage.reportedAt), checkpoint_owed: usage.checkpointOwed },
    reminders,
  };
}

function renderCheckpoint(one: CheckpointView) {
  const { currentTask, filesModified, decisions, openQuestions, blockers, gitState, note, savedAt, observedAt, source } = one;
  return {
    ...{ source, current_task: currentTask, files: filesModified, decisions, blockers, note },
    open_questions: openQuestions,
    git: gitState,
    saved_at: toIso(savedAt),
    observed_at: toIsoOrNull(observedAt),
  };
}

function spentBy({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: TurnView) {
  return {
    ...{ inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0 },
    ...{ cacheReadTokens: cacheReadTokens ?? 0, cacheWriteTokens: cacheWriteTokens ?? 0 },
  };
}
