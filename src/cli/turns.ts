// rookery turns: what the turns of the agents' models came to, as their clients' hooks told: how long, which model, tokens, tools, and what
// woke them.

import type { Command } from 'commander';
import { toIso } from '../hub/clock.ts';
import { LIMITS } from '../hub/limits.ts';
import type { TurnView } from '../hub/turns.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { table } from './terminal.ts';

type Flags = CommonFlags & { agent?: string; hours?: string; limit?: string };

const HOUR_MS = 3_600_000;
const DEFAULT_HOURS = 24;

export function registerTurns(program: Command): void {
  addCommand(
    program,
    'turns',
    'the turns of the agents’ models: duration, tokens, tools, what woke them; and their sums',
    'rookery turns --agent reviewer',
  )
    .option('--agent <name>', 'of this agent only')
    .option('--hours <n>', `that ended within so many hours (default ${DEFAULT_HOURS})`)
    .option('--limit <n>', `how many to list, at most ${LIMITS.turnRows.hard}; the sums count all`)
    .action(async (flags: Flags) => {
      const hours = numberOf(flags.hours, '--hours') ?? DEFAULT_HOURS;
      const limit = numberOf(flags.limit, '--limit');
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        const since = hub.context.time.now() - hours * HOUR_MS;
        const { turns, sums } = await hub.turns.list(caller, { agent: flags.agent, since, limit: limit ?? hub.limits.turnRows });
        if (flags.json === true) return terminal.json({ turns: turns.map(toJson), sums: sumsToJson(sums) });
        if (turns.length === 0) return terminal.line('No turn was told of in that time. rookery install puts hooks into clients.');
        for (const line of table(HEAD, turns.map(toRow))) terminal.line(line);
        terminal.line('');
        terminal.line(
          `${sums.turns} turns, ${duration(sums.durationMs)}, ${sums.toolCalls} tool uses; tokens: ${sums.inputTokens} in, ${sums.outputTokens} out, ${sums.cacheReadTokens} from and ${sums.cacheWriteTokens} into the cache.`,
        );
      });
    });
}

const HEAD = ['ended', 'agent', 'took', 'result', 'woken by', 'model', 'in', 'out', 'cache read', 'cache written', 'tools'];

function toRow(turn: TurnView): string[] {
  const tools = Object.entries(turn.tools).map(([name, count]) => (count === 1 ? name : `${name} ${count}`));
  const tokens = [turn.inputTokens, turn.outputTokens, turn.cacheReadTokens, turn.cacheWriteTokens].map((count) => String(count ?? '-'));
  return [
    ...[toIso(turn.endedAt), turn.agent, duration(turn.endedAt - turn.startedAt), turn.result, turn.wakeDoor ?? '-', turn.model || '-'],
    ...tokens,
    tools.join(', ') || '-',
  ];
}

function toJson(turn: TurnView) {
  return {
    ...{ id: turn.id, agent: turn.agent, session_id: turn.sessionId, result: turn.result, wake_door: turn.wakeDoor },
    ...{ started_at: toIso(turn.startedAt), ended_at: toIso(turn.endedAt), duration_ms: turn.endedAt - turn.startedAt, model: turn.model },
    ...{ input_tokens: turn.inputTokens, output_tokens: turn.outputTokens },
    ...{ cache_read_tokens: turn.cacheReadTokens, cache_write_tokens: turn.cacheWriteTokens },
    ...{ tool_calls: turn.toolCalls, tools: turn.tools },
  };
}

function sumsToJson(sums: { turns: number; durationMs: number; toolCalls: number } & Record<`${string}Tokens`, number>) {
  return {
    ...{ turns: sums.turns, duration_ms: sums.durationMs, tool_calls: sums.toolCalls },
    ...{ input_tokens: sums.inputTokens, output_tokens: sums.outputTokens },
    ...{ cache_read_tokens: sums.cacheReadTokens, cache_write_tokens: sums.cacheWriteTokens },
  };
}

function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3_600 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${(seconds / 3_600).toFixed(1)} h`;
}

function numberOf(given: string | undefined, flag: string): number | undefined {
  if (given === undefined) return undefined;
  const number = Number(given);
  if (Number.isFinite(number) && number > 0) return number;
  throw usage(`${flag} must be a number above 0.`, 'rookery turns --help');
}
