// Claude Code's transcript, as 2.1.329 writes it: a line per content block, so that the same message and its usage stand in several lines; tool
// results in lines of type `user`; the end of a turn in lines of type `system`. The last words of a turn are written some 40 ms after its Stop
// hook began (observed), so they may be missing.

import type { TranscriptFacts, TranscriptQuery, TurnFacts } from '../hub/surroundings.ts';
import { countAt, countOne, instantAt, isObject, type Line, objectAt, textAt } from './transcript-lines.ts';

/** Lines that are read at all; the others (requests, attachments) can be large. */
export const CLAUDE_LINES = /"type": ?"(assistant|user|system)"/;

const WRITING_TOOLS = /^(Edit|Write|MultiEdit|NotebookEdit)$/;
const INTERRUPTED = '[Request interrupted by user';
const FILES = 100;

export function readClaude(lines: readonly Line[], query: TranscriptQuery): TranscriptFacts {
  const own = lines.filter(({ entry }) => entry.isSidechain !== true);
  const since = startOf(own, query);
  return {
    turn: since === null ? null : turnSince(own, since),
    proven: query.receipts.filter((receipt) => isProven(own, receipt, query.lastWords !== null)),
    contextPercent: contextPercent(own),
    filesModified: filesModified(own),
  };
}

/** Whether the model's last words have arrived in the file. */
export function hasWords(lines: readonly Line[], words: string): boolean {
  const said = lines.findLast(({ entry }) => entry.type === 'assistant');
  return said === undefined || blocksOf(said.entry).some((block) => textAt(block, 'text').trim() === words.trim());
}

/** When the turn began: with the first words that bear its name, which were there before any hook could tell; else as the hub knows it. */
function startOf(lines: readonly Line[], { turnKey, since }: TranscriptQuery): number | null {
  const first = turnKey === null ? undefined : lines.find(({ entry }) => entry.promptId === turnKey);
  const named = first === undefined ? null : instantAt(first.entry, 'timestamp');
  return named === null || since === null ? (named ?? since ?? lastPromptAt(lines)) : Math.min(named, since);
}

/** When the last prompt was given: by a person, or by whatever woke the session. */
function lastPromptAt(lines: readonly Line[]): number | null {
  const prompt = lines.findLast(({ entry }) => isPrompt(entry));
  return prompt === undefined ? null : instantAt(prompt.entry, 'timestamp');
}

function isPrompt(entry: Record<string, unknown>): boolean {
  if (entry.type !== 'user' || resultsOf(entry).length > 0) return false;
  return entry.isMeta !== true || isObject(entry.origin);
}

function turnSince(lines: readonly Line[], since: number): TurnFacts {
  const facts: TurnFacts = {
    ...{ startedAt: since, ended: 'open', model: '' },
    ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, tools: {} },
  };
  // The lines of one message repeat its usage; the last one is final.
  const usages = new Map<string, Record<string, unknown>>();
  for (const { entry } of lines) {
    const at = instantAt(entry, 'timestamp');
    if (at === null || at < since) continue;
    if (entry.type === 'assistant') {
      const message = objectAt(entry, 'message');
      // What the client says in the model's place (an error, for example) cost nothing.
      if (textAt(message, 'model') !== '<synthetic>') {
        facts.model = textAt(message, 'model');
        usages.set(textAt(message, 'id'), objectAt(message, 'usage'));
      }
      for (const block of blocksOf(entry)) if (block.type === 'tool_use') countOne(facts.tools, textAt(block, 'name'));
      facts.ended = 'open';
    } else if (entry.type === 'system') {
      if (entry.subtype === 'turn_duration' || entry.subtype === 'stop_hook_summary') facts.ended = 'completed';
    } else if (isInterruption(entry)) {
      facts.ended = 'interrupted';
    }
  }
  for (const usage of usages.values()) {
    facts.inputTokens += countAt(usage, 'input_tokens');
    facts.outputTokens += countAt(usage, 'output_tokens');
    facts.cacheReadTokens += countAt(usage, 'cache_read_input_tokens');
    facts.cacheWriteTokens += countAt(usage, 'cache_creation_input_tokens');
  }
  return facts;
}

/** A receipt that stands in a tool's result, after which the model went on. */
function isProven(lines: readonly Line[], receipt: string, hasStopped: boolean): boolean {
  const shown = lines.findLastIndex(({ text, entry }) => text.includes(receipt) && resultsOf(entry).length > 0);
  return shown >= 0 && (hasStopped || lines.slice(shown + 1).some(({ entry }) => entry.type === 'assistant'));
}

function contextPercent(lines: readonly Line[]): number | null {
  const last = lines.findLast(({ entry }) => entry.type === 'assistant' && textAt(objectAt(entry, 'message'), 'model') !== '<synthetic>');
  if (last === undefined) return null;
  const message = objectAt(last.entry, 'message');
  const usage = objectAt(message, 'usage');
  const tokens =
    countAt(usage, 'input_tokens') +
    countAt(usage, 'cache_read_input_tokens') +
    countAt(usage, 'cache_creation_input_tokens') +
    countAt(usage, 'output_tokens');
  return Math.round((100 * tokens) / contextWindow(textAt(message, 'model'), tokens));
}

/** The window of a model, from the table of Claude Code 2.1.329: 200,000 tokens up to the versions 4.6, a million since. */
function contextWindow(model: string, tokens: number): number {
  const version = /claude-(?:(?:opus|sonnet|haiku)-)?(\d)(?:-(\d)(?!\d))?/.exec(model);
  const [major, minor] = [Number(version?.[1] ?? 9), Number(version?.[2] ?? 0)];
  const isSmall = major < 4 || (major === 4 && minor <= 6);
  return isSmall && tokens <= 200_000 && !model.includes('[1m]') ? 200_000 : 1_000_000;
}

function filesModified(lines: readonly Line[]): string[] {
  const files = lines
    .flatMap(({ entry }) => (entry.type === 'assistant' ? blocksOf(entry) : []))
    .filter((block) => block.type === 'tool_use' && WRITING_TOOLS.test(textAt(block, 'name')))
    .map((block) => textAt(objectAt(block, 'input'), 'file_path') || textAt(objectAt(block, 'input'), 'notebook_path'));
  return [...new Set(files.reverse())].filter((file) => file !== '').slice(0, FILES);
}

function blocksOf(entry: Record<string, unknown>): Record<string, unknown>[] {
  const { content } = objectAt(entry, 'message');
  return Array.isArray(content) ? content.filter(isObject) : [];
}

function resultsOf(entry: Record<string, unknown>): Record<string, unknown>[] {
  return entry.type === 'user' ? blocksOf(entry).filter((block) => block.type === 'tool_result') : [];
}

function isInterruption(entry: Record<string, unknown>): boolean {
  const { content } = objectAt(entry, 'message');
  const texts = typeof content === 'string' ? [content] : blocksOf(entry).map((block) => textAt(block, 'text'));
  return texts.some((text) => text.startsWith(INTERRUPTED));
}
