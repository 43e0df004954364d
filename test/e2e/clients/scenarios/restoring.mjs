// Installing into a home that has settings of its own, and taking it out again: what was there before is there after, byte for byte; what the
// clients wrote meanwhile stays, and nothing of ours.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { claudeEnv, claudeHome, openClaude } from '../claude.mjs';
import { codexEnv, codexFolder, codexHome, openCodex, stopDaemon } from '../codex.mjs';
import { rookery } from '../hub.mjs';
import { run } from '../process.mjs';
import { check, title } from '../report.mjs';
import { scriptedClaude } from '../scripted-claude.mjs';
import { scriptedCodex } from '../scripted-codex.mjs';

export async function restoring(place) {
  title('Installing into settings that somebody has, and out again');
  const home = join(place.base, 'restored');
  const models = { claude: await scriptedClaude(introduces), codex: await scriptedCodex(introduces) };
  claudeHome(home, place.cwd);
  codexHome(home, place.cwd, models.codex.port);
  const files = withSettings(home);
  const scene = { ...place, home, models, files, before: files.map(read), call: rookery({ home, cwd: place.cwd }).call };
  await thereAndBack(scene);
  await probed(scene);
  await usedMeanwhile(scene);
  models.claude.close();
  models.codex.close();
}

async function thereAndBack({ home, files, before, call }) {
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
}

async function probed({ clients, home, cwd, call }) {
  await call('install', 'claude', 'codex');
  const claudeList = await run(clients.claude, ['mcp', 'list'], { env: claudeEnv(home, 9), cwd });
  check('Claude Code finds the server and reaches it', /hub: .*Connected/.test(claudeList.out), claudeList);
  const codexList = await run(clients.codex, ['mcp', 'list'], { env: codexEnv(home), cwd });
  check('Codex finds the server', /^hub .*main\.js stdio/m.test(codexList.out), codexList);
  const agents = await rookery({ home, cwd }).json('agents');
  check('none of this made an agent', (agents.agents ?? []).length === 0, agents);
}

/** Both clients work with the hub in their terminals, and write into the same files. */
async function usedMeanwhile({ clients, home, cwd, models, files, before, call }) {
  const installed = files.map(read);
  const terminals = [
    await openClaude(clients.claude, { home, cwd, port: models.claude.port }),
    await openCodex(clients.codex, { home, cwd }),
  ];
  for (const [i, model] of Object.values(models).entries()) {
    await terminals[i].type('Who are you?');
    const used = await model.request(({ kind, results }) => kind === 'turn' && typeof results[0]?.name === 'string');
    check(`${Object.keys(models)[i]} works with the hub meanwhile`, used !== undefined);
    check('and is left', await terminals[i].leave());
  }
  await stopDaemon(clients.codex, { home, cwd });
  const used = files.map(read);
  const removed = await call('uninstall', 'claude', 'codex');
  check('uninstall after both have worked', removed.code === 0, removed);
  const after = files.map(read);
  for (const [i, file] of files.entries()) {
    const name = file.slice(home.length + 1);
    if (used[i] === installed[i]) check(`${name} is restored byte for byte`, after[i] === before[i], after[i]);
    else if (name === '.claude.json') check(`${name} lacks only what is ours`, lacksOnlyTheServer(used[i], after[i]), after[i]);
    else check(`${name} has what was there and what its client wrote`, isBefore(before[i], after[i]) && !isOurs(after[i]), after[i]);
  }
}

const introduces = (view) => (view.results.length === 0 ? { tool: 'whoami' } : { text: 'So I am.' });

/** Claude Code keeps its own state in this file, and writes it anew at every turn. */
function lacksOnlyTheServer(used, after) {
  const state = JSON.parse(used);
  delete state.mcpServers.hub;
  return JSON.stringify(state) === JSON.stringify(JSON.parse(after));
}

/** Every line that stood there is there still, in its order. */
function isBefore(before, after) {
  const lines = after.split('\n');
  return before.split('\n').every((line) => lines.splice(0, lines.indexOf(line) + 1).length > 0);
}

const isOurs = (text) => /mcp_servers\.hub|main\.js/.test(text);

/** Settings a user may have: other servers, other hooks, comments. */
function withSettings(home) {
  const settings = join(home, '.claude', 'settings.json');
  const hooks = join(codexFolder(home), 'hooks.json');
  const theirs = { matcher: 'Bash', hooks: [{ type: 'command', command: 'echo their-own-hook' }] };
  write(settings, `{\n    "env": {"THEIR_OWN": "1"},\n    "hooks": {"PreToolUse": [${JSON.stringify(theirs)}]}\n}`);
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
