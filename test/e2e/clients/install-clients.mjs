// Puts the real Claude Code and Codex, from the npm registry, into the user's cache folder: outside the repository, once per version.
// ROOKERY_E2E_CLIENTS names another folder.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir, platform, tmpdir } from 'node:os';
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
  if (runs(program)) return program;
  if (npm(['view', spec, 'version', '--fetch-retries=0', '--fetch-timeout=15000'], tmpdir(), 30).status !== 0)
    throw new Error(`the npm registry does not answer for ${spec}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  process.stderr.write(`installing ${spec} ...\n`);
  const done = npm(['install', '--no-audit', '--no-fund', '--dangerously-allow-all-scripts', spec], folder, 180);
  if (done.status !== 0 || !runs(program)) throw new Error(`${spec} could not be installed: ${done.stderr.trim().split('\n').at(-1)}`);
  return program;
}

const npm = (args, cwd, seconds) =>
  spawnSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: seconds * 1000 });

/** An installation that was interrupted has left programs that do not run. */
const runs = (program) => spawnSync(program, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0;
