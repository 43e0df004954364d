// Whether the hub is in a client by its plug-in: where the client keeps its copy of it. Read, never written.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, Places } from './client.ts';
import { valueAt } from './json-text.ts';
import { parsedToml, tableIn } from './toml-text.ts';

const NAME = 'rookery@';

/** The folder of the client's copy of an enabled plug-in; undefined when there is none, or nothing can be read. */
export function pluginIn({ name }: Client, { claudeFolder, codexFolder }: Places): string | undefined {
  try {
    if (name === 'claude') return inClaude(claudeFolder);
    return name === 'codex' ? inCodex(codexFolder) : undefined;
  } catch {
    return undefined;
  }
}

function inClaude(folder: string): string | undefined {
  const enabled = (valueAt(textOf(join(folder, 'settings.json')), ['enabledPlugins'], 'settings.json') ?? {}) as Record<string, unknown>;
  const plugins = valueAt(textOf(join(folder, 'plugins', 'installed_plugins.json')), ['plugins'], 'installed_plugins.json');
  for (const [id, installs] of Object.entries((plugins ?? {}) as Record<string, { installPath?: unknown }[]>)) {
    const path = installs.at(-1)?.installPath;
    if (id.startsWith(NAME) && enabled[id] === true && typeof path === 'string') return path;
  }
  return undefined;
}

function inCodex(folder: string): string | undefined {
  const plugins = tableIn(parsedToml(textOf(join(folder, 'config.toml')), 'config.toml'), 'plugins') ?? {};
  const id = Object.keys(plugins).find((one) => one.startsWith(NAME) && tableIn(plugins, one)?.enabled === true);
  if (id === undefined) return undefined;
  const versions = join(folder, 'plugins', 'cache', id.slice(NAME.length), 'rookery');
  const latest = readdirSync(versions).sort().at(-1);
  return latest === undefined ? undefined : join(versions, latest);
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
