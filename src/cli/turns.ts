// rookery turns: what the turns of the agents' models came to, as their clients' hooks told: how long, which model, tokens, tools, and what
// woke them.

import type { Command } from 'commander';
import { toIso } from '../hub/clock.ts';
import { counted } from '../hub/counted.ts';
import { LIMITS } from '../hub/limits.ts';
import type { TurnView } from '../hub/turns.ts';
import { usage } from './failure.ts';
import { addList, type ListFlags } from './listing.ts';

type Flags = ListFlags & { agent?: string; hours?: string; limit?: string };

const HOUR_MS = 3_600_000;
const DEFAULT_HOURS = 24;

export function registerTurns(program: Command): void {
  addList<Flags, Turn, { turns: Turn[]; sums: Sums }>(
    program,
    'turns',
    {
      description: 'the turns of the agents’ models: duration, tokens, tools, what woke them; and their sums',
      example: 'rookery turns --agent reviewer',
    },
    {
      of: 'turns',
      async read({ hub, caller }, flags) {
        const since = hub.context.time.now() - (numberOf(flags.hours, '--hours') ?? DEFAULT_HOURS) * HOUR_MS;
        const limit = numberOf(flags.limit, '--limit') ?? hub.limits.turnRows;
        const { turns, sums } = await hub.turns.list(caller, { agent: flags.agent, since, limit });
        return { turns: turns.map(toTurn), sums: sumsOf(sums) };
      },
      cells: toCells,
      below: ({ sums }, rows) => [
        rows.length < sums.turns
          ? `${sums.turns - rows.length} more are not shown; --limit shows more, up to ${LIMITS.turnRows.hard}.`
          : undefined,
        sums.turns === 0 ? 'No turn was told of in that time. rookery install puts hooks into clients.' : inWords(sums),
      ],
    },
  )
    .option('--agent <name>', 'of this agent only')
    .option('--hours <n>', `that ended within so many hours (default ${DEFAULT_HOURS})`)
    .option('--limit <n>', `how many to list, at most ${LIMITS.turnRows.hard}; the sums count all`);
}

type Turn = ReturnType<typeof toTurn>;
type Sums = ReturnType<typeof sumsOf>;

function toCells(turn: Turn): Record<string, unknown> {
  const tools = Object.entries(turn.tools).map(([name, count]) => (count === 1 ? name : `${name} ${count}`));
  return {
    ...{ ended: turn.ended_at, agent: turn.agent, took: duration(turn.duration_ms), result: turn.result },
    ...{ 'woken by': turn.woken_by ?? '-', model: turn.model || '-', in: turn.input_tokens, out: turn.output_tokens },
    ...{ 'cache read': turn.cache_read_tokens, 'cache written': turn.cache_write_tokens, tools: tools.join(', ') || '-' },
  };
}

function inWords(sums: Sums): string {
  const tokens = `${sums.input_tokens} in, ${sums.output_tokens} out, ${sums.cache_read_tokens} from and ${sums.cache_write_tokens} into the cache`;
  return `${counted(sums.turns, 'turn')}, ${duration(sums.duration_ms)}, ${counted(sums.tool_calls, 'tool use')}; tokens: ${tokens}.`;
}

function toTurn(turn: TurnView) {
  return {
    ...{ turn_id: turn.id, agent: turn.agent, session_id: turn.sessionId, result: turn.result, woken_by: turn.wakeDoor },
    ...{ started_at: toIso(turn.startedAt), ended_at: toIso(turn.endedAt), duration_ms: turn.endedAt - turn.startedAt, model: turn.model },
    ...{ input_tokens: turn.inputTokens, output_tokens: turn.outputTokens },
    ...{ cache_read_tokens: turn.cacheReadTokens, cache_write_tokens: turn.cacheWriteTokens },
    ...{ tool_calls: turn.toolCalls, tools: turn.tools },
  };
}

function sumsOf(sums: { turns: number; durationMs: number; toolCalls: number } & Record<`${string}Tokens`, number>) {
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
