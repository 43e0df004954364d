// The real Codex in a throw-away home, driven by `codex exec` and in its terminal. Its environment is empty but for what is named here. Its
// terminal leaves a daemon behind, one per home, which `stopDaemon` ends.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { below, end, ended, processes, run, waitFor } from './process.mjs';
import { terminal } from './terminal.mjs';

export const codexFolder = (home) => join(home, '.codex');

export function codexEnv(home, path = process.env.PATH) {
  return {
    PATH: path,
    HOME: home,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    FAKE_KEY: 'dummy',
  };
}

/** Part of the status line that Codex shows when it has started; before, it shows an input line that takes nothing. */
const READY = '← for agents';

/** From each line of the question about hooks, the key that leads to “Trust all and continue”. */
const TO_TRUST_ALL = [
  ['› 1.', 'Down'],
  ['› 2.', 'Enter'],
  ['› 3.', 'Up'],
];
const LOST_MS = 3_000;

const provider = (port) =>
  `{name="fake",base_url="http://127.0.0.1:${port}/v1",wire_api="responses",env_key="FAKE_KEY",request_max_retries=0,stream_max_retries=0}`;

/** A home of a user who has answered Codex's first questions, in this project too. */
export function codexHome(home, cwd, port) {
  const folder = codexFolder(home);
  mkdirSync(folder, { recursive: true });
  const lines = [
    '# settings of the tester',
    'model_provider = "fake"',
    'model = "gpt-5.5" # not the newest',
    `model_providers.fake = ${provider(port)}`,
    '',
    `[projects.${JSON.stringify(cwd)}]`,
    'trust_level = "trusted"',
    '',
    '[notice.model_migrations]',
    '"gpt-5.5" = "gpt-6-sol"',
    '',
  ];
  writeFileSync(join(folder, 'config.toml'), lines.join('\n'));
  return home;
}

/** Runs `codex exec` once. `server`: TOML values of its mcp_servers.hub; absent, the servers of its own settings. */
export async function runCodex(program, { home, cwd, port, server, prompt = 'go', resume = [], more = [], path }) {
  mkdirSync(codexFolder(home), { recursive: true });
  const settings = [`model_provider="fake"`, `model="gpt-5.5"`, `model_providers.fake=${provider(port)}`];
  if (server !== undefined) settings.push(`mcp_servers.hub=${server}`);
  const args = ['exec', '--json', '--skip-git-repo-check', '-C', cwd, ...settings.flatMap((setting) => ['-c', setting]), ...more];
  return await run(program, [...args, ...resume, prompt], { env: codexEnv(home, path), cwd });
}

/** Opens Codex in a terminal, trusts what it asks about hooks as a person would, and waits until it takes a prompt. */
export async function openCodex(program, { home, cwd, more = [], path }) {
  const tty = terminal('Codex', program, more, { env: codexEnv(home, path), cwd });
  let asked = false;
  let last = '';
  let pressed = 0;
  await waitFor(
    'Codex to take a prompt',
    () => {
      const screen = tty.screen();
      // One key for each screen, because a machine that is busy shows late what a key did; again after a while, because keys get lost as well.
      if (screen.includes('Hooks need review') && (screen !== last || Date.now() - pressed > LOST_MS)) {
        asked = true;
        pressed = Date.now();
        tty.key(TO_TRUST_ALL.find(([at]) => screen.includes(at))?.[1] ?? 'Down');
      }
      last = screen;
      return screen.includes(READY);
    },
    { every: 300 },
  );
  return {
    ...tty,
    /** Whether Codex wanted the hooks to be reviewed. */
    asked: () => asked,
    async leave() {
      await tty.type('/quit');
      const gone = await tty.ended();
      await tty.close();
      return gone;
    },
  };
}

/** `codex queue`: what a bare wake-up costs. */
export const queue = (program, { home, cwd, thread, message }) =>
  run(program, ['queue', '--thread', thread, '--message', message], { env: codexEnv(home), cwd });

/** Ends the daemon of a home, the process that it leaves behind to look after updates, and what they started. */
export async function stopDaemon(program, { home, cwd }) {
  const started = daemons(home);
  await run(program, ['app-server', 'daemon', 'stop'], { env: codexEnv(home), cwd });
  await endDaemons(home, started);
}

export async function endDaemons(folder, started = daemons(folder)) {
  for (const pid of daemons(folder)) end(pid, 'SIGKILL');
  await ended(started);
}

/** What Codex runs from copies of itself that it has put below a folder, and what that runs. */
function daemons(folder) {
  const all = processes();
  return all.filter(({ command }) => command.startsWith(`${folder}/`)).flatMap(({ pid }) => [pid, ...below(pid, all)]);
}
