// Which events of which client are hooked, and how: the one table from which settings files and the plug-in's hooks.json are written.
// A `command` hook starts `rookery hook <event>`; a `rewake` hook starts `rookery rewake`, which waits beside the idle session; an `mcp_tool` hook
// calls the tool `hook` of the server that the client already runs.

export const HOOK_CLIENTS = ['claude', 'codex'] as const;
export type HookClient = (typeof HOOK_CLIENTS)[number];

export const HOOK_EVENTS = [
  'SessionStart',
  'UserPromptSubmit',
  'PreToolUse',
  'PostToolUse',
  'PostToolUseFailure',
  'PostToolBatch',
  'Stop',
  'StopFailure',
  'SubagentStop',
  'PreCompact',
  'Notification',
  'SessionEnd',
] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

export type HookEntry = {
  event: HookEvent;
  how: 'command' | 'rewake' | 'mcp_tool';
  /** Which tools, sources or kinds of the event; absent: all. */
  matcher?: string;
  /** After this the client goes on without an answer. The program gives up long before. */
  timeoutSeconds: number;
  /** Claude Code: the client does not wait for it, and its output is not used. */
  async?: true;
  /** What an mcp_tool hook passes on of the client's own words. Codex skips a hook that names a word which the event has not. */
  tells?: readonly string[];
};

/** The tool that mcp_tool hooks call. It is in no tool list: models never see it. */
export const HOOK_TOOL = 'hook';

/** Tools that the hub may refuse (hub/tool-checks.ts): their client waits for its word. */
const CHECKED = 'Bash|Edit|Write|MultiEdit|NotebookEdit';
const UNCHECKED = `^(?!(?:${CHECKED})$)`;

/**
 * Commands, because a tool that cannot be called is shown to the person at every event (Claude Code 2.1.329, Codex 0.169.0), and a command is
 * silent whatever is wrong. One exception: Codex tells a server which of its sessions it serves only with a call, so its first hook is one; the
 * agent is then present from the start. What nobody waits for runs beside the client.
 */
export const HOOKS: Readonly<Record<HookClient, readonly HookEntry[]>> = {
  claude: [
    { event: 'SessionStart', how: 'command', timeoutSeconds: 10 },
    { event: 'UserPromptSubmit', how: 'command', timeoutSeconds: 10 },
    { event: 'PreToolUse', how: 'command', matcher: CHECKED, timeoutSeconds: 5 },
    { event: 'PreToolUse', how: 'command', matcher: UNCHECKED, timeoutSeconds: 5, async: true },
    { event: 'PostToolUse', how: 'command', timeoutSeconds: 5, async: true },
    { event: 'PostToolUseFailure', how: 'command', timeoutSeconds: 5, async: true },
    { event: 'PostToolBatch', how: 'command', timeoutSeconds: 5 },
    { event: 'Stop', how: 'command', timeoutSeconds: 10 },
    // It waits for mail, a day at the most: then the next turn’s end starts another.
    { event: 'Stop', how: 'rewake', timeoutSeconds: 86_400 },
    { event: 'StopFailure', how: 'command', timeoutSeconds: 10 },
    { event: 'SubagentStop', how: 'command', timeoutSeconds: 5 },
    { event: 'PreCompact', how: 'command', timeoutSeconds: 10 },
    { event: 'Notification', how: 'command', matcher: 'idle_prompt', timeoutSeconds: 5 },
    { event: 'SessionEnd', how: 'command', timeoutSeconds: 5 },
  ],
  codex: [
    { event: 'SessionStart', how: 'mcp_tool', timeoutSeconds: 10, tells: ['session_id', 'transcript_path', 'cwd', 'source'] },
    { event: 'UserPromptSubmit', how: 'command', timeoutSeconds: 10 },
    { event: 'PreToolUse', how: 'command', timeoutSeconds: 5 },
    { event: 'PostToolUse', how: 'command', timeoutSeconds: 5 },
    { event: 'Stop', how: 'command', timeoutSeconds: 10 },
    { event: 'PreCompact', how: 'command', timeoutSeconds: 10 },
    // More is cut to 3 s with a complaint in every session.
    { event: 'SessionEnd', how: 'command', timeoutSeconds: 3 },
  ],
};

/**
 * What an installation needs to know: the words that start the program, the name under which the client knows the server, and the flags that
 * follow the event (--home and --project, where a client would not come to the right ones by itself).
 */
export type HookTarget = {
  program: readonly string[];
  server: string;
  flags?: readonly string[];
  /** A monitor wakes the client, so nothing has to wait beside it. */
  monitored?: true;
};

type HookGroup = { matcher?: string; hooks: Record<string, unknown>[] };

/** The value of `hooks` in Claude Code's settings.json, in a plug-in's hooks.json, and in Codex's hooks.json. */
export function hookSettings(client: HookClient, target: HookTarget): Record<string, HookGroup[]> {
  const settings: Record<string, HookGroup[]> = {};
  for (const entry of HOOKS[client]) {
    if (entry.how === 'rewake' && target.monitored === true) continue;
    const group: HookGroup = {
      ...(entry.matcher === undefined ? {} : { matcher: entry.matcher }),
      hooks: [entry.how === 'mcp_tool' ? toolHook(entry, target) : commandHook(client, entry, target)],
    };
    settings[entry.event] = [...(settings[entry.event] ?? []), group];
  }
  return settings;
}

/** Claude Code spawns `args` without a shell; Codex knows a shell line only. */
function commandHook(client: HookClient, entry: HookEntry, { program, flags = [] }: HookTarget): Record<string, unknown> {
  const [command = 'rookery', ...first] = program;
  const asked = entry.how === 'rewake' ? ['rewake'] : ['hook', entry.event, ...(client === 'codex' ? ['--client', 'codex'] : [])];
  const args = [...first, ...asked, ...flags];
  const words = client === 'claude' ? { command, args } : { command: [command, ...args].map(quoted).join(' ') };
  const beside = entry.how === 'rewake' ? { asyncRewake: true } : entry.async === true ? { async: true } : {};
  return { type: 'command', ...words, timeout: entry.timeoutSeconds, ...beside };
}

function toolHook(entry: HookEntry, { server }: HookTarget): Record<string, unknown> {
  const told = Object.fromEntries((entry.tells ?? []).map((field) => [field, `\${${field}}`]));
  return { type: 'mcp_tool', server, tool: HOOK_TOOL, input: { event: entry.event, ...told }, timeout: entry.timeoutSeconds };
}

/** A word for a POSIX shell. Only a whole `${NAME}` stays alive: by such a plug-in names its folder. */
function quoted(word: string): string {
  if (/^[\w./:@%+=,-]+$/.test(word)) return word;
  return `"${word.replace(/["\\`]|\$(?!\{[A-Z_]+\})/g, '\\$&')}"`;
}
