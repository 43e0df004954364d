// The real Codex in a throw-away home, driven by `codex exec` and in its terminal. Its environment is empty but for what is named here. Its
// terminal leaves a daemon behind, one per home, which `stopDaemon` ends.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, until } from './process.mjs';
import { terminal } from './terminal.mjs';

export const codexFolder = (home) => join(home, '.codex');

export function codexEnv(home) {
  return {
    PATH: process.env.PATH,
    HOME: home,
    CODEX_HOME: codexFolder(home),
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    FAKE_KEY: 'dummy',
  };
}

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
export async function runCodex(program, { home, cwd, port, server, prompt = 'go', resume = [], more = [] }) {
  mkdirSync(codexFolder(home), { recursive: true });
  const settings = [`model_provider="fake"`, `model="gpt-5.5"`, `model_providers.fake=${provider(port)}`];
  if (server !== undefined) settings.push(`mcp_servers.hub=${server}`);
  const args = ['exec', '--json', '--skip-git-repo-check', '-C', cwd, ...settings.flatMap((setting) => ['-c', setting]), ...more];
  return await run(program, [...args, ...resume, prompt], { env: codexEnv(home), cwd });
}

/** Opens Codex in a terminal, trusts what it asks about hooks as a person would, and waits until it takes a prompt. */
export async function openCodex(program, { home, cwd, more = [] }) {
  const tty = terminal(program, more, { env: codexEnv(home), cwd });
  let asked = false;
  const ready = await until(
    () => {
      const screen = tty.screen();
      if (screen.includes('Hooks need review') && !asked) {
        asked = true;
        tty.key('Down');
        tty.key('Enter');
      }
      return screen.includes('Ask Codex to do anything') || /›[^\n]*\n[^\n]*gpt-5\.5/i.test(screen);
    },
    { seconds: 40, every: 200 },
  );
  return {
    ...tty,
    ready,
    /** Whether Codex wanted the hooks to be reviewed. */
    asked: () => asked,
    async leave() {
      await tty.type('/quit');
      const gone = await tty.ended();
      tty.close();
      return gone;
    },
  };
}

/** `codex queue`: what a bare wake-up costs. */
export const queue = (program, { home, cwd, thread, message }) =>
  run(program, ['queue', '--thread', thread, '--message', message], { env: codexEnv(home), cwd });

/** Ends the daemon of a home, and the process that it leaves behind to look after updates. */
export async function stopDaemon(program, { home, cwd }) {
  await run(program, ['app-server', 'daemon', 'stop'], { env: codexEnv(home), cwd });
  const list = spawnSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8' }).stdout.split('\n');
  for (const line of list) {
    const [pid, command] = line.trim().split(/\s+/, 2);
    if (command?.startsWith(join(codexFolder(home), 'packages'))) process.kill(Number(pid), 'SIGTERM');
  }
}
