// Installing into the real clients: they see the server, call it without asking, run what was installed, and are as they were afterwards. The
// plug-in does the same: it is valid, works from its folder and from the copy that each client makes of it.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claudeEnv, claudeHome } from '../claude.mjs';
import { codexEnv, codexFolder, codexHome } from '../codex.mjs';
import { MAIN } from '../hub.mjs';
import { run } from '../process.mjs';
import { check, title } from '../report.mjs';
import { scriptedClaude } from '../scripted-claude.mjs';
import { scriptedCodex } from '../scripted-codex.mjs';
import { call, steps } from '../view.mjs';

const ROOT = resolve(fileURLToPath(new URL('../../../..', import.meta.url)));

export async function installing({ clients, base, cwd }) {
  title('Installing into Claude Code and Codex, and the plug-in');
  await intoClaude(clients.claude, join(base, 'installed-claude'), cwd);
  await intoCodex(clients.codex, join(base, 'installed-codex'), cwd);
  await claudePlugin(clients.claude, join(base, 'plugin-claude'), cwd);
  await codexPlugin(clients.codex, join(base, 'plugin-codex'), cwd);
  await enrolling(clients, join(base, 'enrolled'), cwd);
}

/** The command line as a user of this home runs it. */
const rookery = (env, cwd, ...args) => run(process.execPath, [MAIN, ...args], { env, cwd });

const whoami = (model) => scriptedOf(model)(steps([call('whoami')]), model.options);
const scriptedOf = ({ client }) => (client === 'claude' ? scriptedClaude : scriptedCodex);
const seenBy = (model) => model.turns().at(-1)?.allResults.at(-1);

/** One prompt in print mode, with nothing allowed but what the settings allow. */
async function askClaude(program, home, cwd, more = [], options = {}) {
  const model = await whoami({ client: 'claude', options });
  const args = ['-p', 'go', '--output-format', 'stream-json', '--verbose', ...more];
  const done = await run(program, args, { env: claudeEnv(home, model.port), cwd });
  model.close();
  return { ...done, me: seenBy(model), model };
}

async function askCodex(program, home, cwd, more = [], options = {}) {
  const model = await whoami({ client: 'codex', options });
  codexHome(home, cwd, model.port);
  return { model, ask: async () => ({ ...(await run(program, codexArgs(cwd, more), { env: codexEnv(home), cwd })), me: seenBy(model) }) };
}

const codexArgs = (cwd, more) => ['exec', '--json', '--skip-git-repo-check', '-C', cwd, '--dangerously-bypass-hook-trust', ...more, 'go'];

async function intoClaude(program, home, cwd) {
  claudeHome(home, cwd);
  const env = claudeEnv(home, 9);
  const before = readFileSync(join(home, '.claude.json'), 'utf8');
  const installed = await rookery(env, cwd, 'install', 'claude');
  check('rookery install claude', installed.code === 0, installed);
  check(
    'and back: .claude.json is byte for byte what it was',
    await gaveBack(env, cwd, 'claude', join(home, '.claude.json'), before),
    before,
  );
  check('its settings.json is gone', !existsSync(join(home, '.claude', 'settings.json')), readdirSync(home));
  await rookery(env, cwd, 'install', 'claude');
  const list = await run(program, ['mcp', 'list'], { env, cwd });
  check('claude mcp list finds the hub healthy', /hub.*Connected/s.test(list.out), list.out);
  const { code, me, err } = await askClaude(program, home, cwd);
  check('Claude Code calls the hub without being asked for leave', code === 0 && me?.door === 'stdio', { code, me, err });
  check('no hook complained', !/hook.*(failed|error)/i.test(err), err);
  await examined(env, cwd, 'claude');
  const settings = join(home, '.claude', 'settings.json');
  const state = JSON.parse(readFileSync(join(home, '.claude.json'), 'utf8'));
  const removed = await rookery(env, cwd, 'uninstall', 'claude');
  const after = JSON.parse(readFileSync(join(home, '.claude.json'), 'utf8'));
  delete state.mcpServers;
  check(
    'uninstalling after Claude Code wrote its state takes out the server alone',
    JSON.stringify(after) === JSON.stringify(state),
    removed,
  );
  check('and the settings that were ours alone', !existsSync(settings), removed);
}

/** What the doctor says after one run: the server starts, and the hooks of a fresh installation were heard (C-60). */
async function examined(env, cwd, client) {
  const { findings } = JSON.parse((await rookery(env, cwd, 'doctor', '--json')).out);
  for (const what of [client, `${client}_server`, `${client}_patience`, `${client}_hooks`]) {
    const found = findings.find((one) => one.check === what);
    check(`rookery doctor: ${what} is well`, found?.status === 'ok', found);
  }
}

/** Uninstalls, and says whether the file is what it was. */
async function gaveBack(env, cwd, client, file, before) {
  const done = await rookery(env, cwd, 'uninstall', client);
  return done.code === 0 && readFileSync(file, 'utf8') === before;
}

async function intoCodex(program, home, cwd) {
  const { model, ask } = await askCodex(program, home, cwd);
  const env = codexEnv(home);
  const file = join(codexFolder(home), 'config.toml');
  const before = readFileSync(file, 'utf8');
  const installed = await rookery(env, cwd, 'install', 'codex');
  check('rookery install codex', installed.code === 0, installed);
  const list = await run(program, ['mcp', 'list', '--json'], { env, cwd });
  check(
    'codex mcp list sees the hub',
    JSON.parse(list.out || '[]').some((one) => one.name === 'hub' && one.enabled),
    list,
  );
  const { code, me, err, out } = await ask();
  check('codex exec calls the hub without being asked for leave', code === 0 && me?.door === 'stdio', { code, me, err, out });
  await examined(env, cwd, 'codex');
  const now = readFileSync(file, 'utf8');
  if (now.startsWith(before)) check('uninstalling gives back config.toml', await gaveBack(env, cwd, 'codex', file, before), now);
  check('and hooks.json is gone', !existsSync(join(codexFolder(home), 'hooks.json')), readdirSync(codexFolder(home)));
  model.close();
}

async function claudePlugin(program, home, cwd) {
  claudeHome(home, cwd);
  const env = claudeEnv(home, 9);
  for (const folder of ['plugin', '.']) {
    const valid = await run(program, ['plugin', 'validate', join(ROOT, folder)], { env, cwd });
    check(`claude plugin validate ${folder}`, valid.code === 0, valid);
  }
  const allow = ['--allowedTools', 'mcp__plugin_rookery_hub__*'];
  const options = { server: 'mcp__plugin_rookery_hub__' };
  const tried = await askClaude(program, home, cwd, ['--plugin-dir', join(ROOT, 'plugin'), ...allow], options);
  check('the plug-in works from its folder', tried.code === 0 && tried.me?.door === 'stdio', { ...tried, model: undefined });
  // A clone elsewhere, from which the client makes its copy; the program is found by what `rookery install` left.
  const clone = marketplace(home);
  const added = await run(program, ['plugin', 'marketplace', 'add', clone], { env, cwd });
  const installed = await run(program, ['plugin', 'install', 'rookery@rookery'], { env, cwd });
  check('claude plugin install', added.code === 0 && installed.code === 0, [added, installed]);
  await rookery(env, cwd, 'install', 'cursor', '--scope', 'user');
  const copied = await askClaude(program, home, cwd, allow, options);
  check('the plug-in works from the client’s copy', copied.code === 0 && copied.me?.door === 'stdio', { ...copied, model: undefined });
  check('no hook of the plug-in complained', !/hook.*(failed|error)/i.test(copied.err), copied.err);
}

async function codexPlugin(program, home, cwd) {
  const { model, ask } = await askCodex(program, home, cwd, [], { server: 'mcp__hub' });
  const env = codexEnv(home);
  const clone = marketplace(home);
  const added = await run(program, ['plugin', 'marketplace', 'add', clone], { env, cwd });
  const installed = await run(program, ['plugin', 'add', 'rookery@rookery'], { env, cwd });
  check('codex plugin add', added.code === 0 && installed.code === 0, [added, installed]);
  await rookery(env, cwd, 'install', 'cursor', '--scope', 'user');
  const { code, me, err, out } = await ask();
  check('the plug-in works in Codex', code === 0 && me?.door === 'stdio', { code, me, err, out });
  check('its server knows the project', me?.project_root === cwd, me);
  model.close();
}

/** One token, one child: the first client that starts with it is the agent, the second is told who was first. */
async function enrolling(clients, home, cwd) {
  claudeHome(home, cwd);
  const env = claudeEnv(home, 9);
  await rookery(env, cwd, 'install', 'claude', 'codex');
  const child = await enrolment(env, cwd, 'child', '--role', 'worker');
  const ask = async (extra) => {
    const model = await scriptedClaude(steps([call('whoami')]));
    const args = ['-p', 'go', '--output-format', 'stream-json', '--verbose'];
    await run(clients.claude, args, { env: { ...claudeEnv(home, model.port), ...extra }, cwd });
    model.close();
    return seenBy(model);
  };
  const list = await run(clients.claude, ['mcp', 'list'], { env: { ...env, ...child }, cwd });
  check('claude mcp list leaves the enrolment unused', /hub.*Connected/s.test(list.out), list.out);
  const first = await ask(child);
  check(
    'Claude Code becomes the agent that was made for it',
    first?.name === 'child' && first?.role === 'worker' && first?.spawned_by === 'operator',
    first,
  );
  const second = await ask(child);
  // Claude Code adds words of its own to an error.
  check('a second Claude Code with the token is told who was first', /conflict.*by claude-code as child/.test(second?.text), second);
  const other = await enrolment(env, cwd, 'other');
  const model = await whoami({ client: 'codex' });
  codexHome(home, cwd, model.port);
  await rookery(codexEnv(home), cwd, 'install', 'codex');
  await run(clients.codex, codexArgs(cwd, []), { env: { ...codexEnv(home), ...other }, cwd });
  model.close();
  check('Codex passes the enrolment on to its server', seenBy(model)?.name === 'other', seenBy(model));
}

/** The environment of a child. */
async function enrolment(env, cwd, ...words) {
  const { lines } = JSON.parse((await rookery(env, cwd, 'agents', 'create', ...words, '--json')).out);
  const [name, value] = lines[0].split('=');
  return { [name]: value };
}

/** What somebody has who cloned the project and did not build it. */
function marketplace(home) {
  const clone = join(home, 'clone');
  mkdirSync(clone, { recursive: true });
  for (const part of ['.claude-plugin', 'plugin']) cpSync(join(ROOT, part), join(clone, part), { recursive: true });
  return clone;
}
