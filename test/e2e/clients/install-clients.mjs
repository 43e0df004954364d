// Puts the real Claude Code and Codex, from the npm registry, into the user's cache folder: outside the repository, once per version.
// ROOKERY_E2E_CLIENTS names another folder.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';

const CLAUDE = '@anthropic-ai/claude-code@2.1.329';
const CODEX = '@openai/codex@0.169.0';

function cacheFolder() {
  const caches = process.env.XDG_CACHE_HOME ?? (platform() === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache'));
  return join(caches, 'rookery', 'e2e-clients');
}

/** Installs the clients (about 0.8 GB, some seconds) and answers where their programs are. Throws when that cannot be done. */
export function installClients(folder = process.env.ROOKERY_E2E_CLIENTS ?? cacheFolder()) {
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
    timeout: 180_000,
  });
  if (done.status !== 0 || !existsSync(program)) throw new Error(`${spec} could not be installed`);
  return program;
}
