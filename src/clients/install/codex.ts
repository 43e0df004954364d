// Codex. The server in config.toml, the hooks in hooks.json beside it, in CODEX_HOME or in the project's .codex folder.
// Codex starts a server with next to nothing of the environment, so what may say who an agent is, is named in env_vars.

import { hookSettings } from '../hook-events.ts';
import type { Client, Wish } from './client.ts';
import { type Edit, hookFlags, isOurServer, SERVER, serverWords } from './edit.ts';
import { isEmptyJson, ownHooks, withHooks, withoutHooks } from './json-edits.ts';
import { appendTable, removeTable, tableAt, updateTable } from './toml-text.ts';

const TABLE = ['mcp_servers', SERVER] as const;
const COMMENT = 'Written by `rookery install codex`; `rookery uninstall codex` takes it out.';

/** Said, because older ones start servers within 10 s and give up on a call after 60 s. The longest wait of a tool is 50 s. */
const START_SECONDS = 30;
const CALL_SECONDS = 120;

/** What of the environment a server of Codex is given. CODEX_HOME is for waking: `codex queue` needs it. */
export const PASSED_ON = ['CODEX_HOME', 'ROOKERY_AGENT', 'ROOKERY_ENROL', 'ROOKERY_HOME', 'ROOKERY_PROJECT', 'ROOKERY_ROLE'];

export const codex: Client = {
  name: 'codex',
  title: 'Codex',
  scope: 'user',
  traces: ({ codexFolder }) => ({ paths: [codexFolder], program: 'codex' }),
  edits: (wish) => [serverEdit(wish), hooksEdit(wish)],
  next: ({ scope, allowTools }) => [
    'Codex runs new hooks only after you have looked at them: start codex once and choose "Trust all and continue", or /hooks in a session. Until then everything works but the hints about mail, and idle sessions are not woken.',
    ...(allowTools ? ['The hub’s tools are approved, so that a call asks nobody; --no-allow-tools leaves that out.'] : []),
    ...(scope === 'project' ? ['Codex reads a project’s .codex folder only where you trust the project.'] : []),
  ],
};

function folderOf({ scope, places }: Wish): string {
  return scope === 'user' ? places.codexFolder : `${places.project}/.codex`;
}

function serverEdit(wish: Wish): Edit {
  const path = `${folderOf(wish)}/config.toml`;
  const { program, flags, allowTools, scope, env } = wish;
  return {
    path,
    what: 'the server',
    shared: scope === 'project',
    install(text) {
      const existing = tableAt(text, TABLE, path);
      const words = serverWords(existing, { command: program.node, args: [program.main, 'stdio'], flags }, path, 'codex');
      const values = {
        ...words,
        env_vars: PASSED_ON,
        startup_timeout_sec: START_SECONDS,
        tool_timeout_sec: CALL_SECONDS,
        ...(allowTools ? { default_tools_approval_mode: 'approve' } : {}),
        ...(env === undefined ? {} : { env }),
      };
      return existing === undefined ? appendTable(text, TABLE, COMMENT, values, path) : updateTable(text, TABLE, values, path);
    },
    uninstall: (text) => (isOurServer(tableAt(text, TABLE, path)) ? removeTable(text, TABLE, COMMENT, path) : text),
    isEmpty: (text) => text.trim() === '',
    server: (text) => tableAt(text, TABLE, path),
  };
}

function hooksEdit(wish: Wish): Edit {
  const path = `${folderOf(wish)}/hooks.json`;
  const program = [wish.program.node, wish.program.main];
  const hooks = hookSettings('codex', { program, server: SERVER, flags: hookFlags(wish.flags) });
  return {
    path,
    what: 'hooks',
    shared: false,
    install: (text) => withHooks(text, hooks, path),
    uninstall: (text, original) => withoutHooks(text, path, original),
    isEmpty: (text) => isEmptyJson(text, path),
    hooks: (text) => ownHooks(text, path),
  };
}
