// Every door to an idle client in its terminal: mail comes, the client begins a turn by itself and reads; mail that was read and mail that only
// thanks wake nobody; ten messages wake once.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claudeHome, openClaude } from '../claude.mjs';
import { codexFolder, codexHome, openCodex, stopDaemon } from '../codex.mjs';
import { MAIN, rookery, sender, stdio } from '../hub.mjs';
import { follow, ofAgent } from '../news.mjs';
import { waitFor } from '../process.mjs';
import { check, figure, inWords, spread, title } from '../report.mjs';
import { scriptedClaude } from '../scripted-claude.mjs';
import { scriptedCodex } from '../scripted-codex.mjs';
import { reads } from '../stage.mjs';

const PLUGIN_MONITORS = fileURLToPath(new URL('../../../../plugin/monitors/monitors.json', import.meta.url));
/** Enough to see that it works. */
const FEW = 2;
/** Without hooks a client counts as idle when it has been quiet; here a moment is enough. */
const QUIET_MS = 500;

function place(base, name) {
  const home = join(base, name);
  const cwd = join(home, 'project');
  const hub = join(home, 'hub');
  for (const folder of [join(cwd, '.git'), hub]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(hub, 'config.json'), JSON.stringify({ limits: { wakeQuietMs: QUIET_MS } }), { mode: 0o600 });
  return { home, cwd, hub, cli: rookery({ hub, cwd }) };
}

/** The client has begun, and its door is open. */
async function settled({ cli, news, tty, model, agent, door }) {
  model.script = (view) => (view.results.length === 0 ? { tool: 'whoami' } : { text: 'So I am.' });
  await tty.type('go');
  await waitFor(`${agent} to have called the hub`, () => model.turns().some(({ results }) => results.length > 0));
  model.script = reads;
  const doorNow = async () => (await cli.json('agents')).agents?.find((one) => one.name === agent)?.wake.door;
  await waitFor(`${door} to be the door that others are told of`, async () => (await doorNow()) === door, { every: 300 });
  check(`${door}: it is the door that others are told of`, true);
  return news.last();
}

const sentTo = (agent) => (event) => event.type === 'message.acked' && event.data.by === agent;

/** Sends something worth waking for, and waits until it is read; answers the seq of its acceptance, and when the hub began to wake. */
async function wakeOnce({ from, news, agent }, subject) {
  const { message_id } = await from.send({ to: agent, body: 'Read this.', subject });
  const { seq } = await news.sent(message_id);
  const acked = (event) => sentTo(agent)(event) && event.subject === message_id;
  await news.one(`${agent} to have read ${subject}`, acked, { after: seq });
  return { seq, message_id };
}

/** Wakes again and again; figures how long each took, from the decision to wake to the first request of the woken model. */
async function measured(scene, { measure = FEW }) {
  const { cli, news, model, agent, door } = scene;
  const samples = [];
  for (let round = 1; round <= measure; round++) {
    const { seq, message_id } = await wakeOnce(scene, `round ${round}`);
    const started = news.since(seq, ofAgent(agent, 'wake.started'))[0];
    const woken = model.turns().find(({ at, results }) => results.length === 0 && at >= Date.parse(started?.at ?? 0));
    samples.push(woken.at - Date.parse(started?.at));
    const { recipients } = await cli.json('message-status', message_id);
    const proof = recipients?.[0]?.wake_attempts?.at(-1);
    if (proof?.door !== door || !proof.outcome.startsWith('read'))
      return check(`${door}: round ${round} was read, and that proves the door`, false, recipients);
  }
  check(`${door}: woke and was read ${measure} times, and that proves the door`, true);
  figure(`${door}: decision to first model request ${inWords(spread(samples))}`);
}

async function oncePerNews(scene) {
  const { news, from, model, agent, door } = scene;
  const begun = () => model.turns().filter(({ results }) => results.length === 0).length;
  const wakes = (after) => news.since(after, ofAgent(agent, 'wake.started'));
  const start = news.last();
  const turns = begun();
  await from.send({ to: agent, body: 'Thank you!' });
  await from.send({ to: agent, body: 'for your information', expects_reply: false });
  const { seq: next } = await wakeOnce(scene, 'Something new');
  const early = wakes(start).filter(({ seq }) => seq < next);
  check(`${door}: thanks, and what expects no reply, wake nobody`, early.length === 0 && begun() <= turns + 1, early);
  const before = news.last();
  const ten = await Promise.all(Array.from({ length: 10 }, (_, n) => from.send({ to: agent, body: `ten ${n}` })));
  const acked = (id) => (event) => sentTo(agent)(event) && event.subject === id;
  for (const { message_id } of ten) await news.one(`${agent} to have read the ten`, acked(message_id), { after: before });
  const { seq: last } = await wakeOnce(scene, 'An eleventh');
  const forTen = wakes(before).filter(({ seq }) => seq < last);
  check(`${door}: ten messages at once wake once`, forTen.length === 1, forTen);
  check(`${door}: and begin no more turns than there were wake-ups`, begun() <= turns + 1 + wakes(before).length, wakes(before));
}

async function claude(clients, { base }, wish, door, more) {
  title(`Claude Code, woken by ${door}`);
  const { home, cwd, hub, cli } = place(base, `claude-${door}`);
  const agent = 'ada';
  const model = await scriptedClaude(reads, { server: 'mcp__rookery__' });
  const server = { ...stdio(hub, agent), env: { ROOKERY_WAKE_DOORS: door } };
  const config = join(home, 'mcp.json');
  writeFileSync(config, JSON.stringify({ mcpServers: { rookery: server } }));
  claudeHome(home, cwd);
  const args = ['--mcp-config', config, '--strict-mcp-config', '--allowedTools', 'mcp__rookery__*', ...more({ home, hub })];
  const from = await sender(hub, cwd);
  const news = follow(cli);
  const tty = await openClaude(clients.claude, { home, cwd, port: model.port, more: args });
  try {
    const scene = { cli, news, from, tty, model, agent, door };
    await settled(scene);
    await measured(scene, wish);
    await oncePerNews(scene);
  } finally {
    await from.close();
    await news.close();
    await tty.close();
    model.close();
  }
}

async function codex(clients, { base }, wish) {
  const door = 'codex_queue';
  title(`Codex, woken by ${door}`);
  const { home, cwd, hub, cli } = place(base, `codex-${door}`);
  const agent = 'cody';
  const model = await scriptedCodex(reads);
  codexHome(home, cwd, model.port);
  const { args } = stdio(hub, agent);
  const server = [
    '',
    '[mcp_servers.hub]',
    `command = ${JSON.stringify(process.execPath)}`,
    `args = ${JSON.stringify(args)}`,
    'required = true',
    'default_tools_approval_mode = "approve"',
    '',
  ];
  writeFileSync(join(codexFolder(home), 'config.toml'), server.join('\n'), { flag: 'a' });
  const from = await sender(hub, cwd);
  const news = follow(cli);
  const tty = await openCodex(clients.codex, { home, cwd });
  try {
    const scene = { cli, news, from, tty, model, agent, door };
    await settled(scene);
    await measured(scene, wish);
    await oncePerNews(scene);
  } finally {
    await from.close();
    await news.close();
    await tty.close();
    await stopDaemon(clients.codex, { home, cwd });
    model.close();
  }
}

/** Settings with an asyncRewake hook, as an installation writes it. */
function rewakeSettings({ home, hub }) {
  const hook = { type: 'command', command: process.execPath, args: [MAIN, 'rewake', '--home', hub], asyncRewake: true, timeout: 86_400 };
  const path = join(home, 'settings.json');
  writeFileSync(path, JSON.stringify({ hooks: { Stop: [{ hooks: [hook] }] } }));
  return ['--settings', path];
}

/** A plug-in with nothing but a monitor, which finds its program as the real one does. */
function monitorPlugin({ home, hub }) {
  const folder = join(home, 'plugin');
  for (const part of ['.claude-plugin', 'monitors', 'bin']) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, '.claude-plugin', 'plugin.json'), JSON.stringify({ name: 'hub-mail', version: '1.0.0', description: 'mail' }));
  writeFileSync(join(folder, 'bin', 'rookery'), `exec '${process.execPath}' '${MAIN}' "$@" --home '${hub}'\n`);
  cpSync(PLUGIN_MONITORS, join(folder, 'monitors', 'monitors.json'));
  return ['--plugin-dir', folder];
}

export async function doors({ clients, base }, wish) {
  const all = {
    messaging_socket: () => claude(clients, { base }, wish, 'messaging_socket', () => []),
    async_rewake: () => claude(clients, { base }, wish, 'async_rewake', rewakeSettings),
    monitor: () => claude(clients, { base }, wish, 'monitor', monitorPlugin),
    codex_queue: () => codex(clients, { base }, wish),
  };
  for (const [door, run] of Object.entries(all)) {
    try {
      await run();
    } catch (error) {
      check(`${door} ran to its end`, false, error.stack);
    }
  }
}
