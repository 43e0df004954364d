// What a hook says when the hub cannot be asked. By default nothing: everything passes. Where the operator's configuration says closed
// (`guard.whenBroken`), a command or an edit is refused until the hub answers again. The file is read by itself: the rest of the hub may be what is broken.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { guardedUse } from '../hub/guarded-uses.ts';
import { readHookWords } from '../tools/hook-words.ts';

/** The hook's output, or undefined to let the tool pass. `said`: the client's words, as far as they were read. */
export function closedAnswer(home: string, event: string, said: Record<string, unknown>): string | undefined {
  if (!isGuarded(event, said) || !isClosed(home)) return undefined;
  const permissionDecisionReason =
    'The hub cannot be asked, and it is configured to let no command and no edit pass unasked (guard.whenBroken: closed). Tell the operator; rookery doctor says what is wrong.';
  return JSON.stringify({ hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'deny', permissionDecisionReason } });
}

/** Whether the guard would look at what the client is about to do: a command, or an edit. */
export function isGuarded(event: string, said: Record<string, unknown>): boolean {
  const words = readHookWords({ ...said, ...(event === '' ? {} : { hook_event_name: event }) });
  const [use] = words.uses;
  if (words.event !== 'PreToolUse' || use === undefined) return false;
  const { command, files } = guardedUse(use);
  return command !== null || files.length > 0;
}

function isClosed(home: string): boolean {
  try {
    const config = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')) as { guard?: { whenBroken?: unknown } } | null;
    return config?.guard?.whenBroken === 'closed';
  } catch {
    return false; // No file, or none that can be read: nobody asked for more than the default.
  }
}
