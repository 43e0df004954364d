// Installing into a fresh home that has settings of its own, and taking it out again: what was there before is there after, byte for byte.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { claudeEnv, claudeHome } from '../claude.mjs';
import { codexEnv, codexFolder, codexHome } from '../codex.mjs';
import { rookery } from '../hub.mjs';
import { run } from '../process.mjs';
import { check, title } from '../report.mjs';

export async function restoring({ clients, base, cwd }) {
  title('Installing into settings that somebody has, and out again');
  const home = join(base, 'restored');
  const { call } = rookery({ home, cwd });
  claudeHome(home, cwd);
  codexHome(home, cwd, 9);
  const files = withSettings(home);
  const before = files.map(read);
  const listed = listing(home);

  const dry = await call('install', 'claude', 'codex', '--dry-run');
  check('--dry-run shows a diff and writes nothing', dry.code === 0 && /^\+.*rookery/m.test(dry.out) && same(files, before), dry);
  const installed = await call('install', 'claude', 'codex');
  check('rookery install claude codex', installed.code === 0, installed);
  const after = files.map(read);
  check(
    'every file was changed, and what was in it is still there',
    files.every((_file, i) => after[i] !== before[i] && keeps(after[i])),
    after,
  );
  const again = await call('install', 'claude', 'codex');
  check('installing again changes nothing', again.code === 0 && same(files, after), again);

  const removed = await call('uninstall', 'claude', 'codex');
  check('uninstall restores every file, byte for byte', removed.code === 0 && same(files, before), { removed, now: files.map(read) });
  check('uninstall leaves no file that was not there', listing(home).join() === listed.join(), listing(home));

  await call('install', 'claude', 'codex');
  const claudeList = await run(clients.claude, ['mcp', 'list'], { env: claudeEnv(home, 9), cwd });
  check('Claude Code finds the server and reaches it', /hub: .*Connected/.test(claudeList.out), claudeList);
  const codexList = await run(clients.codex, ['mcp', 'list'], { env: codexEnv(home), cwd });
  check('Codex finds the server', /^hub .*main\.js stdio/m.test(codexList.out), codexList);
  const agents = await rookery({ home, cwd }).json('agents');
  check('none of this made an agent', (agents.agents ?? []).length === 0, agents);
  await call('uninstall', 'claude', 'codex');
  const touched = files.filter((file) => !file.endsWith('.claude.json')); // Claude Code writes that one itself, at every start
  check('and out again after both clients have run', same(touched, before.slice(0, touched.length)), touched.map(read));
  check('.claude.json names the hub no more', !/main\.js/.test(read(join(home, '.claude.json'))), read(join(home, '.claude.json')));
}

/** Settings a user may have: other servers, other hooks, comments. */
function withSettings(home) {
  const settings = join(home, '.claude', 'settings.json');
  const hooks = join(codexFolder(home), 'hooks.json');
  const theirs = { matcher: 'Bash', hooks: [{ type: 'command', command: 'echo their-own-hook' }] };
  write(settings, `{\n    "env": {"THEIR_OWN": "1"},\n    "hooks": {"Stop": [${JSON.stringify(theirs)}]}\n}`);
  write(hooks, `${JSON.stringify({ hooks: { PostToolUse: [theirs] } })}\n`);
  const config = join(codexFolder(home), 'config.toml');
  write(config, `${read(config)}\n[mcp_servers.other] # their-own server\ncommand = "true"\n`);
  const state = join(home, '.claude.json');
  write(state, JSON.stringify({ ...JSON.parse(read(state)), mcpServers: { 'their-own': { command: 'true' } } }, null, 2));
  return [settings, hooks, config, state];
}

/** Every file of a home but the hub's own. */
const listing = (home) =>
  readdirSync(home, { recursive: true })
    .filter((path) => !path.startsWith('.rookery'))
    .sort();
const keeps = (text) => /their-own|THEIR_OWN/.test(text);
const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
const same = (files, texts) => files.every((file, i) => read(file) === texts[i]);

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
