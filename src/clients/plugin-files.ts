// The plug-in that serves Claude Code and Codex alike, as far as it is JSON: manifests, servers, hooks. `npm run gen` writes it to plugin/ and
// the marketplace beside it, so that the hooks are those of the one table and the version that of the package.
// A client copies a plug-in into a folder of its own, away from the program: plugin/bin/rookery finds it from there.

import { hookSettings } from './hook-events.ts';
import { PASSED_ON } from './install/codex.ts';
import { SERVER } from './install/edit.ts';

const NAME = 'rookery';
const DESCRIPTION = 'Messages, questions, reminders and tasks between coding agents and their operator, durable and truthful';

/** Claude Code puts the folder of the plug-in in the place of this, in commands and arguments; Codex in the lines of hooks only. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the client reads it.
const SHIM = '${CLAUDE_PLUGIN_ROOT}/bin/rookery';

/** Codex starts a plug-in's server in the session's folder, which is what the hub goes by, and tells it nothing of where the plug-in is. */
const FIND =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell reads it.
  'r=$(command -v rookery) || r=${ROOKERY_HOME:-$HOME/.rookery}/bin/rookery; ' +
  '[ -x "$r" ] || { echo "rookery is not installed: see the plug-in\'s README" >&2; exit 127; }; exec "$r" stdio';

/** Every generated file of the plug-in, by its path from the package’s folder. */
export function pluginFiles({ version, license }: { version: string; license: string }): Record<string, unknown> {
  const author = { name: 'Rookery' };
  const manifest = {
    name: NAME,
    version,
    description: DESCRIPTION,
    author,
    license,
    keywords: ['mcp', 'agents', 'messages', 'coordination'],
  };
  const target = { program: ['sh', SHIM], server: `plugin:${NAME}:${SERVER}` };
  return {
    '.claude-plugin/marketplace.json': {
      name: NAME,
      owner: author,
      metadata: { description: 'Rookery, the coordination hub for coding agents' },
      plugins: [{ name: NAME, source: './plugin', description: DESCRIPTION, version, license }],
    },
    'plugin/.claude-plugin/plugin.json': manifest,
    'plugin/.codex-plugin/plugin.json': {
      ...manifest,
      mcpServers: './.mcp.codex.json',
      hooks: './hooks/codex-hooks.json',
      skills: './skills/',
    },
    'plugin/.mcp.json': { mcpServers: { [SERVER]: { type: 'stdio', command: 'sh', args: [SHIM, 'stdio'] } } },
    'plugin/.mcp.codex.json': { mcpServers: { [SERVER]: { command: 'sh', args: ['-c', FIND], env_vars: PASSED_ON } } },
    'plugin/hooks/hooks.json': { hooks: hookSettings('claude', { ...target, monitored: true }) },
    'plugin/monitors/monitors.json': [{ name: 'mail', command: `sh "${SHIM}" monitor`, description: 'Mail from the hub' }],
    'plugin/hooks/codex-hooks.json': { hooks: hookSettings('codex', { ...target, server: SERVER }) },
  };
}
