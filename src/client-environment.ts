// What the environment of this process tells of the client that started it: which of its sessions this is, how that one can be reached, and
// whether an agent's own command is running. A part of the configuration; nothing else looks at the environment.

export type ClientEnvironment = {
  /** The client's own session, where its environment tells it. */
  clientKey: string | undefined;
  /** The client's session whose agent runs this command, where its environment tells it. */
  commandKey: string | undefined;
  /** Claude Code says that nobody sits at this session: it ends by itself when its turn is over (`claude -p`). */
  unattended: boolean;
  /** The process of the client, where its environment tells it. */
  clientPid: number | undefined;
  /** Where this session of Claude Code listens for messages, where its environment tells it. */
  claudeSocket: { path: string; token: string | undefined } | undefined;
  codexHome: string | undefined;
  /** The variable by which an agent's client marks the commands that it runs; undefined in a terminal of one's own. */
  agentMark: string | undefined;
  /** What programs that the hub starts are given of the environment. */
  childEnv: Readonly<Record<string, string>>;
};

/** What Claude Code, Codex, Gemini CLI and Cursor set for the commands of their agents. */
const AGENT_MARKS = ['CLAUDECODE', 'CODEX_THREAD_ID', 'CODEX_SANDBOX', 'GEMINI_CLI', 'CURSOR_AGENT'] as const;

/** Enough to find programs, to write in the user's language and to show something on the user's screen; nothing that holds a secret by custom. */
const FOR_CHILDREN = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'DISPLAY',
  'WAYLAND_DISPLAY',
] as const;

export function clientEnvironment(env: Readonly<Record<string, string | undefined>>): ClientEnvironment {
  const given = (name: string) => (env[name] === '' ? undefined : env[name]);
  const session = given('CLAUDE_CODE_SESSION_ID');
  const thread = given('CODEX_THREAD_ID');
  const socket = given('CLAUDE_CODE_MESSAGING_SOCKET');
  const pid = Number(given('CLAUDE_PID'));
  return {
    clientKey: session === undefined ? undefined : `claude:${session}`,
    // Claude Code and Codex tell the commands of their agents which session they belong to; a Codex server is not told.
    commandKey: session === undefined ? thread && `codex:${thread}` : `claude:${session}`,
    unattended: given('CLAUDE_CODE_SESSION_ATTENDED') === '0',
    clientPid: Number.isInteger(pid) && pid > 0 ? pid : undefined,
    claudeSocket: socket === undefined ? undefined : { path: socket, token: given('CLAUDE_CODE_MESSAGING_TOKEN') },
    codexHome: given('CODEX_HOME'),
    agentMark: AGENT_MARKS.find((name) => given(name) !== undefined),
    childEnv: Object.freeze(
      Object.fromEntries(FOR_CHILDREN.flatMap((name) => (given(name) === undefined ? [] : [[name, given(name) ?? '']]))),
    ),
  };
}
