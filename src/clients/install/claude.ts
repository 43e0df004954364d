// Claude Code. For the user: the server in .claude.json, hooks and permission in settings.json. For a project: the server in .mcp.json, the rest
// in settings.local.json, which Claude Code keeps out of version control.

import { hookSettings } from '../hook-events.ts';
import type { Client, Wish } from './client.ts';
import { type Edit, hookFlags, SERVER } from './edit.ts';
import { isEmptyJson, ownHooks, withHooks, withoutHooks, withoutServer, withoutWord, withServer, withWord } from './json-edits.ts';
import { valueAt } from './json-text.ts';

/** The rule that lets every tool of the hub be called without asking; a bare server name says the same. */
const RULE = `mcp__${SERVER}__*`;
const SAME_RULE = [`mcp__${SERVER}`];
const ALLOW = ['permissions', 'allow'];
/** Claude Code asks once before it starts a server that a project's .mcp.json names; whoever installs it has answered. */
const APPROVED = ['enabledMcpjsonServers'];

export const claude: Client = {
  name: 'claude',
  title: 'Claude Code',
  scope: 'user',
  traces: ({ claudeFolder, claudeState }) => ({ paths: [claudeFolder, claudeState], program: 'claude' }),
  edits: (wish) => [serverEdit(wish), settingsEdit(wish)],
  next: ({ scope, allowTools }) => [
    'Sessions that run see the server after /mcp or a restart; new ones have it.',
    ...(allowTools ? [`${RULE} is allowed, so that a call of the hub asks nobody; --no-allow-tools leaves that out.`] : []),
    ...(scope === 'project' ? ['.mcp.json holds paths of this machine: keep it out of version control, or share it knowingly.'] : []),
  ],
};

function serverEdit({ program, scope, places, flags, env }: Wish): Edit {
  const path = scope === 'user' ? places.claudeState : `${places.project}/.mcp.json`;
  const wish = { command: program.node, args: [program.main, 'stdio'], flags };
  return {
    path,
    what: 'the server',
    shared: scope === 'project',
    install: (text) => withServer(text, 'mcpServers', wish, { type: 'stdio', ...(env === undefined ? {} : { env }) }, path, 'claude'),
    uninstall: (text, original) => withoutServer(text, 'mcpServers', path, original),
    isEmpty: (text) => isEmptyJson(text, path),
    server: (text) => valueAt(text, ['mcpServers', SERVER], path),
    obstacle: (text) => (scope === 'user' ? localServer(text, places.project, path) : undefined),
    // Claude Code itself writes this file all the time, under this lock.
    ...(scope === 'user' ? { lock: `${path}.lock` } : {}),
  };
}

/** `claude mcp add` without a scope puts the server below the project in the same file, and that one goes first. */
function localServer(text: string, project: string, path: string): string | undefined {
  if (valueAt(text, ['projects', project, 'mcpServers', SERVER], path) === undefined) return undefined;
  return `${path} has another hub for ${project} alone, which goes before the installed one: claude mcp remove hub -s local`;
}

function settingsEdit({ program, scope, places, allowTools, flags }: Wish): Edit {
  const path = scope === 'user' ? `${places.claudeFolder}/settings.json` : `${places.project}/.claude/settings.local.json`;
  const hooks = hookSettings('claude', { program: [program.node, program.main], server: SERVER, flags: hookFlags(flags) });
  return {
    path,
    what: allowTools ? 'hooks, and leave to call the hub’s tools' : 'hooks',
    shared: false,
    install(text) {
      const hooked = withHooks(text, hooks, path);
      const allowed = allowTools ? withWord(hooked, ALLOW, RULE, SAME_RULE, path) : hooked;
      return scope === 'project' ? withWord(allowed, APPROVED, SERVER, [], path) : allowed;
    },
    uninstall(text, original) {
      const unhooked = withoutHooks(text, path, original);
      // Without hooks and without a memory of us, a rule about our tools is its user's.
      if (unhooked === text && original === undefined) return text;
      const asking = withoutWord(unhooked, ALLOW, RULE, path, original);
      return scope === 'project' ? withoutWord(asking, APPROVED, SERVER, path, original) : asking;
    },
    isEmpty: (text) => isEmptyJson(text, path),
    hooks: (text) => ownHooks(text, path),
  };
}
