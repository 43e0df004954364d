// Clients that take a server and no hooks: Gemini CLI, VS Code and Cursor. Editors start servers from wherever they please, so theirs are told
// the project: an installation for a project names its folder, one for the user leaves that to the editor's own variable.

import { existsSync } from 'node:fs';
import type { Client, ClientName, Wish } from './client.ts';
import { type Edit, SERVER } from './edit.ts';
import { isEmptyJson, withoutServer, withServer } from './json-edits.ts';
import { valueAt } from './json-text.ts';

export const gemini: Client = {
  name: 'gemini',
  title: 'Gemini CLI',
  scope: 'user',
  traces: ({ geminiFolder }) => ({ paths: [geminiFolder], program: 'gemini' }),
  edits: (wish) => {
    const folder = wish.scope === 'user' ? wish.places.geminiFolder : `${wish.places.project}/.gemini`;
    const more = wish.allowTools ? { trust: true } : {};
    return [edit('gemini', `${folder}/settings.json`, 'mcpServers', more, wish.flags, wish)];
  },
  next: ({ allowTools }) => [
    'Gemini CLI starts servers only in folders that you trust.',
    'It has no hooks of ours: an agent sees its mail with its next call of the hub, or while it waits in recv_batch.',
    ...(allowTools ? ['The server is trusted, so that a call asks nobody; --no-allow-tools leaves that out.'] : []),
  ],
};

export const vscode: Client = {
  name: 'vscode',
  title: 'VS Code',
  scope: 'project',
  traces: ({ vscodeFolders }) => ({ paths: vscodeFolders, program: 'code' }),
  edits: (wish) => {
    const { vscodeFolders, project } = wish.places;
    const [usual = ''] = vscodeFolders;
    const folder = wish.scope === 'user' ? (vscodeFolders.find((one) => existsSync(one)) ?? usual) : `${project}/.vscode`;
    return [edit('vscode', `${folder}/mcp.json`, 'servers', { type: 'stdio' }, inWorkspace(wish), wish)];
  },
  next: () => ['VS Code asks once whether you trust the server. MCP: List Servers starts and stops it.'],
};

export const cursor: Client = {
  name: 'cursor',
  title: 'Cursor',
  scope: 'project',
  traces: ({ cursorFolder }) => ({ paths: [cursorFolder], program: 'cursor' }),
  edits: (wish) => {
    const folder = wish.scope === 'user' ? wish.places.cursorFolder : `${wish.places.project}/.cursor`;
    return [edit('cursor', `${folder}/mcp.json`, 'mcpServers', {}, inWorkspace(wish), wish)];
  },
  next: () => ['Cursor shows the server under Settings, MCP, where it is switched on; its auto-run setting decides whether calls ask.'],
};

function inWorkspace({ flags, scope, places }: Wish): Wish['flags'] {
  return { '--project': scope === 'user' ? WORKSPACE : places.project, ...flags };
}

/** Both editors put the folder that is open in its place. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the editor reads it.
const WORKSPACE = '${workspaceFolder}';

function edit(client: ClientName, path: string, members: string, more: Record<string, unknown>, flags: Wish['flags'], wish: Wish): Edit {
  const { program, scope, env } = wish;
  const server = { command: program.node, args: [program.main, 'stdio'], flags };
  return {
    path,
    what: 'the server',
    shared: scope === 'project',
    install: (text) => withServer(text, members, server, { ...more, ...(env === undefined ? {} : { env }) }, path, client),
    uninstall: (text, original) => withoutServer(text, members, path, original),
    isEmpty: (text) => isEmptyJson(text, path),
    server: (text) => valueAt(text, [members, SERVER], path),
  };
}
