// What is asked before a client's model may use a tool, in this order. A check looks at the use and answers in facts; it is waited for.

import type { Guard } from './guard.ts';
import type { ToolCheck, ToolUse } from './tool-uses.ts';

export function toolChecks(guard: Guard): readonly ToolCheck[] {
  return [
    (caller, use) =>
      guard.check(caller, { useId: use.id, command: commandOf(use), files: filesOf(use), folder: use.cwd === '' ? caller.root : use.cwd }),
  ];
}

/** The command line that a tool would run. Claude Code and Codex both tell of their shell as Bash. */
function commandOf({ tool, args }: ToolUse): string | null {
  const command = tool === 'Bash' ? argument(args, 'command') : undefined;
  return typeof command === 'string' ? command : null;
}

/** The files that a tool would write: the tools of Claude Code name one, a patch of Codex any number. */
function filesOf({ tool, args }: ToolUse): string[] {
  if (/^(Edit|Write|MultiEdit|NotebookEdit)$/.test(tool)) {
    const file = argument(args, 'file_path') ?? argument(args, 'notebook_path');
    return typeof file === 'string' ? [file] : [];
  }
  const patch = tool === 'apply_patch' ? (argument(args, 'command') ?? argument(args, 'input')) : undefined;
  if (typeof patch !== 'string') return [];
  return [...patch.matchAll(/^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$/gm)].map((match) => match[1]?.trim() ?? '');
}

function argument(args: unknown, name: string): unknown {
  return args !== null && typeof args === 'object' ? (args as Record<string, unknown>)[name] : undefined;
}
