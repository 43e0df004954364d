// The plug-in instead of an installation: Claude Code takes it from the package's folder as a marketplace, its idle session is woken by the
// plug-in's monitor.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { claudeEnv, claudeHome, openClaude } from '../claude.mjs';
import { MAIN, rookery } from '../hub.mjs';
import { whenLeaving } from '../leaving.mjs';
import { run, until } from '../process.mjs';
import { check, title } from '../report.mjs';
import { scriptedClaude } from '../scripted-claude.mjs';

const PACKAGE = resolve(MAIN, '..', '..');
const NAME = 'rookery@rookery';

export async function plugIn({ clients, base, cwd }) {
  title('The plug-in in a terminal of Claude Code');
  const home = join(base, 'plugged');
  const path = `${programOnPath(base)}${delimiter}${process.env.PATH}`;
  await inClaude({ clients, cwd, home, path });
}

/** The program as a global installation puts it: a name on PATH. */
function programOnPath(base) {
  const folder = join(base, 'bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'rookery'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(join(folder, 'rookery'), 0o755);
  return folder;
}

async function inClaude({ clients, cwd, home, path }) {
  const model = await scriptedClaude(() => ({ text: 'Nothing to do.' }), { server: 'mcp__plugin_rookery_hub__' });
  const close = whenLeaving(() => model.close());
  claudeHome(home, cwd);
  const env = claudeEnv(home, model.port, path);
  const added = await run(clients.claude, ['plugin', 'marketplace', 'add', PACKAGE], { env, cwd });
  const installed = await run(clients.claude, ['plugin', 'install', NAME], { env, cwd });
  check('Claude Code installs it from the package’s folder', added.code === 0 && installed.code === 0, [added, installed]);
  const list = await run(clients.claude, ['mcp', 'list'], { env, cwd });
  check('Claude Code reaches the plug-in’s server', /plugin:rookery:hub.*Connected/.test(list.out), list.out);

  const tty = await openClaude(clients.claude, {
    home,
    cwd,
    port: model.port,
    path,
    more: ['--allowedTools', 'mcp__plugin_rookery_hub__*'],
  });
  const hub = rookery({ home, cwd });
  model.script = (view) => (view.results.length === 0 ? { tool: 'whoami' } : { text: 'So I am.' });
  await tty.type('Who are you?');
  await model.request(({ results }) => results.length > 0);
  const { name } = model.turns().at(-1)?.results[0] ?? {};
  check(`Claude Code has an agent of its own: ${name}`, typeof name === 'string', tty.screen());
  await until(async () => (await hub.json('agents')).agents?.[0]?.state === 'idle', { every: 200 });
  const since = Date.now();
  model.script = (view) => (view.results.length === 0 ? { tool: 'recv_batch' } : { text: 'Read.' });
  await hub.json('send', '--to', name ?? 'nobody', '--body', 'Wake up.');
  const read = await model.request(({ results }) => results[0]?.messages?.length === 1, { since, seconds: 20 });
  check('mail wakes the idle session, which reads it', read !== undefined, tty.screen());
  const agent = await until(async () => (await hub.json('agents')).agents?.find(({ wake }) => wake?.proven_at !== undefined), {
    seconds: 5,
  });
  check('the door that woke it is the plug-in’s monitor', agent?.wake.door === 'monitor', agent?.wake);
  await tty.leave();
  await close();
}
