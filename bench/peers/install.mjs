// Puts a peer from the npm registry into the cache folder, once per version: outside the repository, and no dependency of it.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The versions that the figures of the documents were taken with. */
const VERSIONS = { 'agent-inbox': '0.2.3', agentsmcp: '0.5.2', bullmq: '6.7.0', 'pg-boss': '10.3.2', nats: '2.29.3' };
/** What a package wants beside itself. */
const BESIDE = { bullmq: ['ioredis@5'] };
const INSTALL_MS = 600_000;

function cacheFolder() {
  const caches = process.env.XDG_CACHE_HOME ?? (platform() === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache'));
  return join(caches, 'rookery', 'bench-peers');
}

/** Answers the folder that the package is installed in. Throws with the reason when it cannot be had. */
export function install(name) {
  const folder = join(process.env.ROOKERY_BENCH_PEERS ?? cacheFolder(), name);
  const own = join(folder, 'node_modules', name, 'package.json');
  const beside = BESIDE[name] ?? [];
  const isWhole = beside.every((one) => existsSync(join(folder, 'node_modules', one.split('@')[0])));
  if (isWhole && existsSync(own) && JSON.parse(readFileSync(own, 'utf8')).version === VERSIONS[name]) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const spec = `${name}@${VERSIONS[name]}`;
  process.stderr.write(`installing ${spec} into ${folder} ...\n`);
  const done = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--dangerously-allow-all-scripts', spec, ...beside], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: INSTALL_MS,
  });
  if (done.status !== 0) throw new Error(`${spec} cannot be installed: ${(done.stderr ?? '').trim().split('\n').at(-1)}`);
  return folder;
}

/** A package as its users import it. */
export async function load(name) {
  const require = createRequire(join(install(name), 'package.json'));
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return module.default ?? module;
}
