// What is known of a client: where its settings are, what is put into them, and what its user has to do afterwards. One file per client
// beside this one says it; nothing here or there reads or writes.

import type { Edit } from './edit.ts';
import type { Program } from './program.ts';

export const CLIENTS = ['claude', 'codex', 'gemini', 'vscode', 'cursor'] as const;
export type ClientName = (typeof CLIENTS)[number];

export const SCOPES = ['user', 'project'] as const;
export type Scope = (typeof SCOPES)[number];

/** Where clients keep their settings. */
export type Places = {
  readonly home: string;
  readonly claudeFolder: string;
  readonly claudeState: string;
  readonly codexFolder: string;
  readonly geminiFolder: string;
  readonly cursorFolder: string;
  /** VS Code’s user folders, its Insiders’ and VSCodium’s: the first that exists is meant. */
  readonly vscodeFolders: readonly string[];
  /** The folder of a project whose own settings are meant. */
  readonly project: string;
};

export type Wish = {
  readonly program: Program;
  readonly scope: Scope;
  readonly places: Places;
  /** --agent, --role, --toolsets, --project, --home, as far as they are given. */
  readonly flags: Readonly<Record<string, string>>;
  /** The hub's tools may be called without asking each time. */
  readonly allowTools: boolean;
  /** What the client puts into the environment of the server. */
  readonly env?: Readonly<Record<string, string>>;
};

export type Client = {
  readonly name: ClientName;
  readonly title: string;
  /** What is meant when no scope is given. */
  readonly scope: Scope;
  /** Something of it on this machine: its folder, or its program's name on PATH. */
  readonly traces: (places: Places) => { paths: readonly string[]; program: string };
  readonly edits: (wish: Wish) => Edit[];
  /** What its user has to do or know afterwards. */
  readonly next: (wish: Wish) => string[];
};

/** The environment by which people move the settings of their clients. */
export function placesOf(env: NodeJS.ProcessEnv, home: string, project: string, platform: NodeJS.Platform = process.platform): Places {
  const set = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : env[name]);
  const claude = set('CLAUDE_CONFIG_DIR');
  const settings = platform === 'darwin' ? `${home}/Library/Application Support` : (set('XDG_CONFIG_HOME') ?? `${home}/.config`);
  return {
    home,
    claudeFolder: claude ?? `${home}/.claude`,
    claudeState: `${claude ?? home}/.claude.json`,
    codexFolder: set('CODEX_HOME') ?? `${home}/.codex`,
    geminiFolder: `${set('GEMINI_CLI_HOME') ?? home}/.gemini`,
    cursorFolder: `${home}/.cursor`,
    vscodeFolders: ['Code', 'Code - Insiders', 'VSCodium'].map((name) => `${settings}/${name}/User`),
    project,
  };
}
