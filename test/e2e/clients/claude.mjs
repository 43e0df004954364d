// The real Claude Code in a throw-away home, driven in print mode and in its terminal. Its environment is empty but for what is named here,
// so nothing of the user's is read and nothing leaves the machine.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.mjs';
import { terminal } from './terminal.mjs';

const KEY = 'sk-ant-dummy';

export function claudeEnv(home, port, path = process.env.PATH) {
  return {
    PATH: path,
    HOME: home,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
    ANTHROPIC_API_KEY: KEY,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_GROWTHBOOK: '1',
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
    ENABLE_CLAUDEAI_MCP_SERVERS: 'false',
  };
}

/** A home of a user who has answered Claude Code's first questions, in this project too. */
export function claudeHome(home, cwd) {
  mkdirSync(home, { recursive: true });
  const seen = {
    hasCompletedOnboarding: true,
    theme: 'dark',
    lastOnboardingVersion: '2.1.329',
    customApiKeyResponses: { approved: [KEY.slice(-20)], rejected: [] },
    projects: { [cwd]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true, allowedTools: [] } },
  };
  writeFileSync(join(home, '.claude.json'), JSON.stringify(seen));
  return home;
}

/** Runs one prompt in print mode. `servers`: its mcpServers and no others; absent, those of its own settings. */
export async function runClaude(program, { home, cwd, port, servers, prompt = 'go', more = [] }) {
  mkdirSync(home, { recursive: true });
  const config = join(home, 'mcp.json');
  if (servers !== undefined) writeFileSync(config, JSON.stringify({ mcpServers: servers }));
  const args = ['-p', prompt, '--output-format', 'stream-json', '--verbose', '--allowedTools', 'mcp__hub__*', 'Bash'];
  const own = servers === undefined ? [] : ['--mcp-config', config, '--strict-mcp-config'];
  return await run(program, [...args, ...own, ...more], { env: claudeEnv(home, port), cwd });
}

/** Opens Claude Code in a terminal and waits until it takes a prompt. */
export async function openClaude(program, { home, cwd, port, more = [], path }) {
  const args = ['--permission-mode', 'default', '--allowedTools', 'Bash', ...more];
  const tty = terminal('Claude Code', program, args, { env: claudeEnv(home, port, path), cwd });
  await tty.shows('❯');
  return {
    ...tty,
    /** Leaves as a person does, and waits until the program is gone. */
    async leave() {
      await tty.type('/exit');
      const gone = await tty.ended();
      await tty.close();
      return gone;
    },
  };
}
