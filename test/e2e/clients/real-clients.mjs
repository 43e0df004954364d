// The real Claude Code and Codex, installed from the npm registry into a folder outside the repository and run with an empty environment
// and throw-away homes, so that nothing of the user's is read and nothing leaves the machine.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CLAUDE = '@anthropic-ai/claude-code@2.1.329';
const CODEX = '@openai/codex@0.169.0';

/** Installs the clients once (about 0.8 GB) and answers where their programs are. */
export function installClients(folder = process.env.ROOKERY_E2E_CLIENTS ?? join(tmpdir(), 'rookery-e2e-clients')) {
  return { claude: install(join(folder, 'claude'), CLAUDE, 'claude'), codex: install(join(folder, 'codex'), CODEX, 'codex') };
}

function install(folder, spec, bin) {
  const program = join(folder, 'node_modules', '.bin', bin);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  process.stderr.write(`installing ${spec} ...\n`);
  const done = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--dangerously-allow-all-scripts', spec], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (done.status !== 0 || !existsSync(program)) throw new Error(`${spec} could not be installed`);
  return program;
}

/** Runs Claude Code once against a scripted model. `servers`: its mcpServers. */
export async function runClaude(program, { home, cwd, port, servers, prompt = 'go', more = [] }) {
  mkdirSync(home, { recursive: true });
  const config = join(home, 'mcp.json');
  writeFileSync(config, JSON.stringify({ mcpServers: servers }));
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
    ANTHROPIC_API_KEY: 'sk-ant-dummy',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_GROWTHBOOK: '1',
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
    ENABLE_CLAUDEAI_MCP_SERVERS: 'false',
  };
  const args = [
    '-p',
    prompt,
    '--output-format',
    'stream-json',
    '--verbose',
    '--mcp-config',
    config,
    '--strict-mcp-config',
    '--allowedTools',
    'mcp__hub__*',
    ...more,
  ];
  return await run(program, args, { env, cwd });
}

/** Runs `codex exec` once against a scripted model. `server`: TOML values of its mcp_servers.hub. */
export async function runCodex(program, { home, cwd, port, server, prompt = 'go', resume = [] }) {
  mkdirSync(join(home, 'codex'), { recursive: true });
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CODEX_HOME: join(home, 'codex'),
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    FAKE_KEY: 'dummy',
  };
  const provider = `{name="fake",base_url="http://127.0.0.1:${port}/v1",wire_api="responses",env_key="FAKE_KEY",request_max_retries=0,stream_max_retries=0}`;
  const settings = ['model_provider="fake"', 'model="gpt-5.5"', `model_providers.fake=${provider}`, `mcp_servers.hub=${server}`];
  const args = ['exec', '--json', '--skip-git-repo-check', '-C', cwd, ...settings.flatMap((setting) => ['-c', setting]), ...resume, prompt];
  return await run(program, args, { env, cwd });
}

/** Runs a program to its end, two minutes at the most. */
export function run(program, args, { env, cwd }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const timer = setTimeout(() => child.kill('SIGKILL'), 120_000);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, out, err });
    });
  });
}
