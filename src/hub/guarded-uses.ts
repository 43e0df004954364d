// What a tool of a client would run and write, as far as the guard is concerned: Claude Code's, Codex's and Gemini CLI's tools by their names and
// arguments. A tool that is not known here runs no command and writes no file that the guard knows of.

import { posix } from 'node:path';
import type { GuardedUse } from './guard.ts';
import type { ToolUse } from './tool-uses.ts';

/** Tools that run a command line. */
const SHELL_TOOLS = ['Bash', 'shell', 'exec_command', 'local_shell', 'unified_exec', 'run_shell_command'];
/** Tools that write the file they name. */
const FILE_TOOLS = ['Edit', 'Write', 'MultiEdit', 'NotebookEdit', 'write_file', 'replace', 'apply_patch'];
const FILE_ARGUMENTS = ['file_path', 'notebook_path', 'path', 'absolute_path'];
/** The lines of a patch of Codex that name a file; `apply_patch` is a tool of its own there, and a command. */
const PATCHED = /^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$/gm;
const MOST_FILES = 1_000;

/** The same use in the guard's words. */
export function guardedUse(use: Pick<ToolUse, 'id' | 'tool' | 'args' | 'cwd'>): GuardedUse {
  const args = toObject(use.args);
  const command = SHELL_TOOLS.includes(use.tool) ? commandOf(args.command ?? args.cmd) : null;
  const texts = [command ?? '', ...(use.tool === 'apply_patch' ? Object.values(args).filter((value) => typeof value === 'string') : [])];
  const patched = texts
    .filter((text) => text.includes('*** Begin Patch'))
    .flatMap((text) => [...text.matchAll(PATCHED)].map(([, file = '']) => file.trim()));
  const named = FILE_TOOLS.includes(use.tool) ? FILE_ARGUMENTS.map((name) => args[name]).filter((value) => typeof value === 'string') : [];
  return {
    useId: use.id,
    command,
    files: [...new Set([...named, ...patched])].filter((file) => file !== '').slice(0, MOST_FILES),
    folder: folderOf(args, use.cwd),
  };
}

/** A command line, or the words of one: ["bash", "-lc", "..."]. */
function commandOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || !value.every((word) => typeof word === 'string')) return null;
  return value.map((word) => (/^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

/** Some tools name the folder that a command is to run in. */
function folderOf(args: Record<string, unknown>, cwd: string): string {
  const given = args.workdir ?? args.cwd ?? args.directory;
  return typeof given === 'string' && given !== '' ? posix.resolve(cwd, given) : cwd;
}

function toObject(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
