// Where settings come from: flag > environment > project file > home file > default, gathered and not yet checked. Apart from config.ts, because a
// server that a client starts is waited for, and what checks every setting takes longer to load than all that it does until its first answer.

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { clientEnvironment } from './client-environment.ts';
import type { Config, Setting, Settings } from './config.ts';
import { HubError } from './hub/errors.ts';
import { existingFolder, filesOf, hubHome } from './hub-home.ts';
import { findPlace, givenPlace, isFolder, namedPlace } from './project-root.ts';
import { TOOLSETS, type Toolset } from './tools/toolsets.ts';

export type Source = 'flag' | 'environment' | 'project file' | 'home file' | 'default';

/**
 * What a project's own file may say. It comes with the code, perhaps from strangers: it may name things, but gives no role, opens no port, chooses
 * no file and reaches no other project's folder.
 */
const PROJECT_SETTINGS: readonly string[] = ['project', 'agent', 'toolsets', 'logLevel'];

export const ENVIRONMENT: Partial<Record<Setting, string>> = {
  project: 'ROOKERY_PROJECT',
  agent: 'ROOKERY_AGENT',
  role: 'ROOKERY_ROLE',
  token: 'ROOKERY_TOKEN',
  enrol: 'ROOKERY_ENROL',
  toolsets: 'ROOKERY_TOOLSETS',
  logLevel: 'ROOKERY_LOG_LEVEL',
  host: 'ROOKERY_HOST',
  port: 'ROOKERY_PORT',
  url: 'ROOKERY_URL',
  databaseUrl: 'ROOKERY_DATABASE_URL',
  wakeDoors: 'ROOKERY_WAKE_DOORS',
};

export type Given = {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Flags as parsed by the command line; undefined ones were not given. */
  flags: Partial<Record<Setting | 'home', unknown>>;
  /** False: config files are not looked at. */
  files?: boolean;
};

/** What was given, by setting, and where each came from; `complete`: the configuration with these settings. */
export type Gathered = {
  merged: Record<string, unknown>;
  sources: Record<string, Source>;
  complete(settings: Settings, names: readonly string[]): Config;
};

/** Reads everything. `isSetting` tells a misspelt setting in a project's file from one that is not for it. */
export function gather({ env, cwd, flags, files = true }: Given, isSetting: (name: string) => boolean): Gathered {
  const home = hubHome(flags.home ?? env.ROOKERY_HOME);
  // Claude Code tells a server the folder of its session; a client that does not is taken by its working directory.
  const start = existingFolder(env.CLAUDE_PROJECT_DIR) ?? cwd;
  const isGiven = (project: unknown): project is string => typeof project === 'string' && project !== '';
  const place = (project: unknown) => (isGiven(project) ? givenPlace(project, cwd, home, start) : findPlace(start, home));
  const given = flags.project ?? env.ROOKERY_PROJECT;
  const { workRoot } = place(given);
  const projectFile = files ? readProjectFiles(workRoot, home, isSetting) : {};
  // Whoever gives a folder is in the project of those who stand in it, and that one its own file may name.
  const named = isGiven(given) && isFolder(given, cwd) && isGiven(projectFile.project) ? projectFile.project : undefined;
  const { merged, sources } = merge(
    withinHome([
      ['flag', defined(flags, 'home')],
      ['environment', fromEnvironment(env)],
      ['project file', projectFile],
      ['home file', files ? readFile(join(home, 'config.json'), undefined) : {}],
    ]),
  );
  return {
    merged,
    sources,
    complete: (settings, names) =>
      Object.freeze({
        ...settings,
        ...filesOf(home),
        place: named === undefined ? place(settings.project) : namedPlace(named, workRoot, home),
        ...clientEnvironment(env),
        otel: Object.fromEntries(
          Object.entries(env).filter((pair): pair is [string, string] => pair[0].startsWith('OTEL_') && pair[1] !== undefined),
        ),
        noColor: env.NO_COLOR !== undefined && env.NO_COLOR !== '',
        sources: Object.freeze({ ...Object.fromEntries(names.map((name) => [name, 'default'])), ...sources }) as Config['sources'],
      }),
  };
}

/** Toolsets as they may be given, by a list or by words between commas; undefined for anything else. */
export function toolsetsIn(value: unknown): Toolset[] | undefined {
  const words = wordsOf(value);
  if (!Array.isArray(words) || words.length === 0) return undefined;
  const known = TOOLSETS.filter((one) => words.includes(one));
  return words.every((word) => known.includes(word)) ? words : undefined;
}

/** `all` and words between commas as the list that they mean. */
export function wordsOf(value: unknown): unknown {
  const words: unknown = typeof value === 'string' ? value.split(',').map((word) => word.trim()) : value;
  return Array.isArray(words) && words.includes('all') ? [...TOOLSETS] : words;
}

function fromEnvironment(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const pairs = Object.entries(ENVIRONMENT).map(([setting, name]) => [setting, env[name]] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined && value !== ''));
}

/** The project's file. Git keeps no worktree's copy of one that is not committed; it is the same project nonetheless, under the same name. */
function readProjectFiles(workRoot: string, home: string, isSetting: (name: string) => boolean): Record<string, unknown> {
  const own = readProjectFile(workRoot, home, isSetting);
  const main = findPlace(workRoot, home).project.root;
  if (own.project !== undefined || main === workRoot) return own;
  const { project } = readProjectFile(main, home, isSetting);
  return project === undefined ? own : { ...own, project };
}

/** A project's file, within what a project may say. */
function readProjectFile(root: string, home: string, isSetting: (name: string) => boolean): Record<string, unknown> {
  const path = join(root, '.rookery', 'config.json');
  const values = readFile(path, home);
  const refused = Object.keys(values).find((key) => !PROJECT_SETTINGS.includes(key));
  if (refused !== undefined) {
    const known = isSetting(refused) ? 'is not for a project’s file' : 'is not a setting';
    throw new HubError('invalid_input', `${path}: ${refused.slice(0, 40)} ${known}.`, {
      hint: `A project’s file comes with its code; it may say ${PROJECT_SETTINGS.join(', ')}. Put the rest into the hub’s own config.json, a flag or the environment.`,
    });
  }
  if (typeof values.project === 'string' && /[\\/]|^\.+$/.test(values.project)) {
    throw new HubError('invalid_input', `${path}: project must be a name, not a folder.`, {
      hint: 'A folder is given by --project or ROOKERY_PROJECT.',
    });
  }
  return values;
}

/** A config file; the hub's own folder is never taken for a project's. */
function readFile(path: string, home: string | undefined): Record<string, unknown> {
  if (!existsSync(path) || (home !== undefined && realpathSync(path).startsWith(`${home}/`))) return {};
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new HubError('invalid_input', `${path} is not readable JSON.`, {
      hint: 'Correct or remove it.',
      cause: error,
    });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new HubError('invalid_input', `${path} must hold one JSON object.`, { hint: 'For example {"port": 7421}.' });
  return value as Record<string, unknown>;
}

/** The project's file comes with the code: what the operator's own file narrows, it cannot widen again. */
function withinHome(layers: [Source, Record<string, unknown>][]): [Source, Record<string, unknown>][] {
  const allowed = toolsetsIn(layers.find(([source]) => source === 'home file')?.[1].toolsets);
  return layers.map(([source, values]) => {
    const wanted = source === 'project file' ? toolsetsIn(values.toolsets) : undefined;
    if (allowed === undefined || wanted === undefined) return [source, values];
    const both = wanted.filter((one) => allowed.includes(one));
    return [source, { ...values, toolsets: both.length === 0 ? allowed : both }];
  });
}

function merge(layers: [Source, Record<string, unknown>][]): {
  merged: Record<string, unknown>;
  sources: Record<string, Source>;
} {
  const merged: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const [source, values] of layers) {
    for (const [key, value] of Object.entries(values)) {
      if (key in merged) continue;
      merged[key] = value;
      sources[key] = source;
    }
  }
  return { merged, sources };
}

function defined(values: Record<string, unknown>, without: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== undefined && key !== without));
}

/** Whether OpenTelemetry's variables name a receiver for this signal, or for any. */
export function isExporting(otel: Config['otel'], ...signals: ('traces' | 'metrics')[]): boolean {
  if (otel.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  return (signals.length === 0 ? (['traces', 'metrics'] as const) : signals).some((signal) => {
    const name = signal.toUpperCase();
    const endpoint = otel[`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`] ?? otel.OTEL_EXPORTER_OTLP_ENDPOINT ?? '';
    return endpoint !== '' && (otel[`OTEL_${name}_EXPORTER`] ?? 'otlp') === 'otlp';
  });
}
