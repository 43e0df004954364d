// A record of tool calls (S-15) and the heartbeat that each call is. Both are diagnostics: collected in memory, written together about once
// a second, and allowed to fail without failing a call; failures are counted and shown (M-07).

import { touchAgent } from '../store/agents.ts';
import { type CallRow, insertCall, recentCalls } from '../store/calls.ts';
import { recordCall } from '../store/sessions.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';

/** How often a tool was called lately, how often it was refused, and how long it took. A wait counts as long as it lasted. */
export type ToolUse = { tool: string; calls: number; refused: number; p50: number; p95: number };

/** What is kept when writing fails: the newest, so that memory stays bounded. */
const KEPT = 1_000;

export class Calls {
  readonly #context: HubContext;
  readonly #running = new Set<Promise<unknown>>();
  #pending: CallRow[] = [];
  #failures = 0;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** How often the record could not be written since the process started. */
  get failures(): number {
    return this.#failures;
  }

  /** How many calls of this process are not answered yet. */
  get running(): number {
    return this.#running.size;
  }

  /** Counts a call as running until it is answered. */
  track<T>(call: Promise<T>): Promise<T> {
    this.#running.add(call);
    const done = () => this.#running.delete(call);
    call.then(done, done);
    return call;
  }

  /** Resolves when the calls that run now are answered: closing waits for them, so that nobody is cut off in mid-answer. */
  async answered(): Promise<void> {
    await Promise.allSettled([...this.#running]);
  }

  /** The newest `limit` calls of the project, by tool; `agentId`: only those of one agent among them. */
  async byTool(caller: Caller, limit: number, agentId?: string): Promise<{ since: number | null; tools: ToolUse[] }> {
    assertOversees(caller, 'see the calls of all');
    const calls = (await this.#context.commands.look(caller, (read) => recentCalls(read, caller.projectId, limit))).filter(
      (call) => agentId === undefined || call.agentId === agentId,
    );
    const byTool = new Map<string, CallRow[]>();
    for (const call of calls) (byTool.get(call.tool) ?? byTool.set(call.tool, []).get(call.tool))?.push(call);
    const tools = [...byTool].map(([tool, of]) => {
      const took = of.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
      const rank = (share: number) => took[Math.max(0, Math.ceil(took.length * share) - 1)] ?? 0;
      return { tool, calls: of.length, refused: of.filter(({ code }) => code !== 'ok').length, p50: rank(0.5), p95: rank(0.95) };
    });
    return { since: calls.at(-1)?.startedAt ?? null, tools: tools.sort((a, b) => b.calls - a.calls || (a.tool < b.tool ? -1 : 1)) };
  }

  record(call: CallRow): void {
    this.#pending.push(call);
    if (this.#pending.length > KEPT) this.#pending.splice(0, this.#pending.length - KEPT);
  }

  /** Writes what was collected. Never throws. */
  async flush(): Promise<void> {
    const calls = this.#pending;
    if (calls.length === 0) return;
    this.#pending = [];
    const latest = new Map(calls.map((call) => [call.sessionId, call]));
    try {
      await this.#context.db.write(
        '',
        async (tx) => {
          for (const call of calls) await insertCall(tx, call);
          for (const { sessionId, agentId, startedAt, durationMs } of latest.values()) {
            await recordCall(tx, sessionId, startedAt + durationMs);
            await touchAgent(tx, agentId, startedAt + durationMs);
          }
        },
        'relaxed',
      );
    } catch {
      this.#failures += 1;
      this.#pending = [...calls, ...this.#pending].slice(-KEPT);
    }
  }
}
