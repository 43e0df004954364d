// rookery hook: what the hooks of clients run. Here it only explains itself: main.ts starts it without the command line, because a client waits.

import type { Command } from 'commander';
import { HOOK_EVENTS } from '../clients/hook-events.ts';

export function registerHook(program: Command): void {
  program
    .command('hook <event>')
    .description('called by the hooks of Claude Code and Codex: tells the hub what its client does, and its client of mail')
    .option('--client <name>', 'claude or codex, if its words do not tell')
    .option('--project <path-or-name>', 'the project, if not the session’s folder’s')
    .option('--home <folder>', 'the hub’s folder, if not ROOKERY_HOME or ~/.rookery')
    .option('--json', 'changes nothing: what it prints is JSON')
    .option('--within <ms>', 'give up after so many milliseconds (900): the client then goes on without an answer')
    .addHelpText(
      'after',
      `\nIt reads the event as JSON from standard input and prints the hook’s output, if there is any. It always ends with 0.
Events: ${HOOK_EVENTS.join(', ')}.\n\nExample:\n  $ echo '{"session_id":"…","cwd":"."}' | rookery hook UserPromptSubmit`,
    )
    .action(() => {}); // main.ts has taken every call that names an event
}
