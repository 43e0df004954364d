// The plug-in instead of an installation: Claude Code and Codex take it from the package's folder as a marketplace; each has an agent, and mail
// wakes its idle session.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { claudeEnv, claudeHome, openClaude } from '../claude.mjs';
import { codexEnv, codexHome, openCodex, stopDaemon } from '../codex.mjs';
import { MAIN, rookery } from '../hub.mjs';
import { follow, ofAgent } from '../news.mjs';
import { run } from '../process.mjs';
import { check, title } from '../report.mjs';
import { scriptedClaude } from '../scripted-claude.mjs';
import { scriptedCodex } from '../scripted-codex.mjs';
import { reads } from '../stage.mjs';

const PACKAGE = resolve(MAIN, '..', '..');
const NAME = 'rookery@rookery';

export async function plugIn({ clients, base, cwd }) {
  const path = `${programOnPath(base)}${delimiter}${process.env.PATH}`;
  await inClaude(clients.claude, { home: join(base, 'plugged-claude'), cwd, path });
  await inCodex(clients.codex, { home: join(base, 'plugged-codex'), cwd, path });
}

/** The program as a global installation puts it: a name on PATH. */
function programOnPath(base) {
  const folder = join(base, 'bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'rookery'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(join(folder, 'rookery'), 0o755);
  return folder;
}

async function inClaude(program, { home, cwd, path }) {
  title('The plug-in in a terminal of Claude Code');
  const model = await scriptedClaude(reads, { server: 'mcp__plugin_rookery_hub__' });
  claudeHome(home, cwd);
  const env = claudeEnv(home, model.port, path);
  const added = await run(program, ['plugin', 'marketplace', 'add', PACKAGE], { env, cwd });
  const installed = await run(program, ['plugin', 'install', NAME], { env, cwd });
  check('Claude Code installs it from the package’s folder', added.code === 0 && installed.code === 0, [added, installed]);
  const list = await run(program, ['mcp', 'list'], { env, cwd });
  check('Claude Code reaches the plug-in’s server', /plugin:rookery:hub.*Connected/.test(list.out), list.out);
  const more = ['--allowedTools', 'mcp__plugin_rookery_hub__*'];
  const tty = await openClaude(program, { home, cwd, port: model.port, path, more });
  await wokenByMail('Claude Code', 'monitor', { home, cwd, model, tty });
  await tty.close();
  model.close();
}

async function inCodex(program, { home, cwd, path }) {
  title('The plug-in in a terminal of Codex');
  const model = await scriptedCodex(reads);
  codexHome(home, cwd, model.port);
  const env = codexEnv(home, path);
  const added = await run(program, ['plugin', 'marketplace', 'add', PACKAGE], { env, cwd });
  const installed = await run(program, ['plugin', 'add', NAME], { env, cwd });
  check('Codex installs it from the package’s folder', added.code === 0 && installed.code === 0, [added, installed]);
  const tty = await openCodex(program, { home, cwd, path });
  check('Codex asks whether its hooks are to be trusted', tty.asked());
  await wokenByMail('Codex', 'codex_queue', { home, cwd, model, tty });
  await tty.close();
  await stopDaemon(program, { home, cwd });
  model.close();
}

async function wokenByMail(client, door, { home, cwd, model, tty }) {
  const hub = rookery({ home, cwd });
  model.script = (view) => (view.results.length === 0 ? { tool: 'whoami' } : { text: 'So I am.' });
  await tty.type('Who are you?');
  const { results } = (await model.request(({ kind, results }) => kind === 'turn' && results.length > 0)) ?? {};
  const { name } = results?.[0] ?? {};
  if (!check(`${client} has an agent of its own: ${name}`, name !== undefined, results)) return;
  const news = follow(hub);
  await news.one(`the end of the first turn of ${name}`, ofAgent(name, 'turn.ended'));
  model.script = reads;
  const { message_id } = await hub.json('send', '--to', name, '--body', 'Wake up.');
  const { seq } = await news.sent(message_id);
  const started = await news.one(`a wake-up of ${name}`, ofAgent(name, 'wake.started'), { after: seq });
  const read = await news.one(`${name} to read`, ({ type, data }) => type === 'wake.read' && data.by === name, { after: seq });
  check('mail wakes the idle session, which reads it', true);
  check(`the door that woke it is ${door}`, read.data.door === door, [started, read]);
  await news.close();
}
