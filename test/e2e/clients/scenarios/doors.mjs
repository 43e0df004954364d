// Every door to an idle client in its terminal: mail comes, the client begins a turn by itself and reads; mail that was read and mail that only
// thanks wake nobody; ten messages wake once. Measured: from the answer to `send` to the first request of the woken model.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claudeHome, openClaude } from '../claude.mjs';
import { codexFolder, codexHome, openCodex, stopDaemon } from '../codex.mjs';
import { MAIN, rookery, sender, stdio } from '../hub.mjs';
import { sleep } from '../model-server.mjs';
import { until } from '../process.mjs';
import { check, figure, inWords, spread, title } from '../report.mjs';
import { scriptedClaude } from '../scripted-claude.mjs';
import { scriptedCodex } from '../scripted-codex.mjs';

const PLUGIN_MONITORS = fileURLToPath(new URL('../../../../plugin/monitors/monitors.json', import.meta.url));
const ROUNDS = Number(process.env.ROOKERY_E2E_ROUNDS ?? 5);
/** Without hooks a client counts as idle when it has been quiet; here a moment is enough. */
const QUIET_MS = 500;

/** Reads what it was told of, then says so. */
const reader = (view) => {
  if (view.results.length === 0) return view.news.includes('Mail for') ? { tool: 'recv_batch' } : { tool: 'whoami' };
  const [last] = view.results.slice(-1);
  return typeof last?.receipt === 'string' ? { tool: 'ack', input: { receipt: last.receipt } } : { text: 'READ' };
};

function place(base, name) {
  const home = join(base, name);
  const cwd = join(home, 'project');
  const hub = join(home, 'hub');
  for (const folder of [join(cwd, '.git'), hub]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(hub, 'config.json'), JSON.stringify({ limits: { wakeQuietMs: QUIET_MS } }), { mode: 0o600 });
  return { home, cwd, hub, cli: rookery({ hub, cwd }) };
}

/** The client has begun and is idle with its door open. */
async function settled({ cli, tty, model, agent, door }) {
  await tty.type('go');
  const began = await model.request((one) => one.kind === 'turn' && one.results.length > 0, { seconds: 60 });
  check(`${door}: the client runs and has called the hub`, began !== undefined, tty.screen());
  const open = await until(async () => (await cli.json('agents')).agents?.find((one) => one.name === agent)?.wake.door === door, {
    seconds: 30,
    every: 300,
  });
  check(`${door}: it is the door that others are told of`, open, await cli.json('agents', 'wake', agent));
}

/** Wakes again and again; answers how long each took. */
async function measure({ cli, from, model, agent, door }) {
  const samples = [];
  for (let round = 0; round < ROUNDS; round++) {
    await idle({ cli, agent });
    const sent = await from.send({ to: agent, body: `round ${round}`, subject: `round ${round}` });
    const acceptedAt = Date.now();
    const woken = await model.request((one) => one.kind === 'turn' && one.news.includes('Mail for'), {
      since: acceptedAt - 50,
      seconds: 40,
    });
    if (woken === undefined) {
      const status = await cli.json('call', 'message_status', JSON.stringify({ message_id: sent.message_id }));
      return check(`${door}: round ${round} woke it`, false, status.recipients ?? sent);
    }
    samples.push(woken.at - acceptedAt);
    const status = await until(
      async () => {
        const found = await cli.json('call', 'message_status', JSON.stringify({ message_id: sent.message_id }));
        return found.recipients?.[0]?.state === 'acked' ? found.recipients[0] : undefined;
      },
      { seconds: 30, every: 200 },
    );
    const proof = status?.wake_attempts?.at(-1);
    if (proof?.door !== door || !proof.outcome.startsWith('read'))
      return check(`${door}: round ${round} was read, and that proves the door`, false, status);
  }
  check(`${door}: woke and was read ${ROUNDS} times`, true);
  figure(`${door}: send → first model request ${inWords(spread(samples))}`);
}

/** Nothing is unread, and nothing was called for longer than the client counts as busy. */
async function idle({ cli, agent }) {
  await until(async () => (await cli.json('agents')).agents?.find((one) => one.name === agent)?.unread === 0, { every: 200 });
  await sleep(QUIET_MS + 1_500);
}

async function oncePerNews({ cli, from, model, agent, door }) {
  await idle({ cli, agent });
  const before = model.turns().length;
  await from.send({ to: agent, body: 'Thank you!' });
  await from.send({ to: agent, body: 'for your information', expects_reply: false });
  await sleep(4_000);
  check(`${door}: thanks, and what expects no reply, wake nobody`, model.turns().length === before, model.turns().slice(before));
  const at = Date.now();
  await Promise.all(Array.from({ length: 10 }, (_, n) => from.send({ to: agent, body: `ten ${n}` })));
  await model.request((one) => one.kind === 'turn' && one.news.includes('Mail for'), { since: at, seconds: 40 });
  await idle({ cli, agent });
  await sleep(4_000);
  const woken = model.turns().filter((one) => one.at >= at && one.results.length === 0);
  check(
    `${door}: ten messages at once wake once`,
    woken.length === 1,
    woken.map(({ news }) => news),
  );
}

async function claude(clients, { base }, door, more) {
  title(`Claude Code, woken by ${door}`);
  const { home, cwd, hub, cli } = place(base, `claude-${door}`);
  const agent = 'ada';
  const model = await scriptedClaude(reader, { server: 'mcp__rookery__' });
  const server = { ...stdio(hub, agent), env: { ROOKERY_WAKE_DOORS: door } };
  const config = join(home, 'mcp.json');
  writeFileSync(config, JSON.stringify({ mcpServers: { rookery: server } }));
  claudeHome(home, cwd);
  const args = ['--mcp-config', config, '--strict-mcp-config', '--allowedTools', 'mcp__rookery__*', ...more({ home, hub })];
  const from = await sender(hub, cwd);
  const tty = await openClaude(clients.claude, { home, cwd, port: model.port, more: args });
  try {
    check(`${door}: Claude Code takes a prompt`, tty.ready, tty.screen());
    const scene = { cli, from, tty, model, agent, door };
    await settled(scene);
    await measure(scene);
    await oncePerNews(scene);
  } finally {
    from.close();
    await tty.leave();
    model.close();
  }
}

async function codex(clients, { base }) {
  const door = 'codex_queue';
  title(`Codex, woken by ${door}`);
  const { home, cwd, hub, cli } = place(base, `codex-${door}`);
  const agent = 'cody';
  const model = await scriptedCodex(reader);
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
  const tty = await openCodex(clients.codex, { home, cwd });
  try {
    check(`${door}: Codex takes a prompt`, tty.ready, tty.screen());
    const scene = { cli, from, tty, model, agent, door };
    await settled(scene);
    await measure(scene);
    await oncePerNews(scene);
  } finally {
    from.close();
    await tty.leave();
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

export async function doors({ clients, base }) {
  const all = {
    messaging_socket: () => claude(clients, { base }, 'messaging_socket', () => []),
    async_rewake: () => claude(clients, { base }, 'async_rewake', rewakeSettings),
    monitor: () => claude(clients, { base }, 'monitor', monitorPlugin),
    codex_queue: () => codex(clients, { base }),
  };
  const wanted = process.env.ROOKERY_E2E_DOORS?.split(',') ?? Object.keys(all);
  for (const door of wanted) await all[door]?.();
}
