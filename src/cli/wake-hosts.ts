// rookery monitor and rewake: what Claude Code starts beside a session so that mail wakes it. Both are silent until then; how they fail without
// troubling their client is main.ts's.

import type { Command } from 'commander';
import { clientEnvironment } from '../client-environment.ts';
import type { Config } from '../config.ts';
import { existingHub, type HubFiles } from '../hub-home.ts';
import { clientEnd } from '../system/client-end.ts';
import { systemClock } from '../system/clock.ts';
import type { Told } from '../wake/client-agent.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';

const INPUT_CHARS = 1_048_576;
const LOOK_MS = 30_000;

export function registerWakeHosts(program: Command): void {
  addCommand(
    program,
    'monitor',
    'wakes an idle Claude Code session with a line per piece of news; what a plug-in’s monitor runs',
    'rookery monitor',
  ).action(async (flags: CommonFlags) => {
    const { files, config } = await awaited(flags);
    if (!config.wakeDoors.includes('monitor')) return;
    const parts = await prepare(files, config, config.clientKey, endOf(config));
    const { serveMonitor } = await import('../wake/monitor.ts');
    await serveMonitor({ ...parts, print: (line) => write(process.stdout, line) });
    process.exit(0);
  });
  addCommand(
    program,
    'rewake',
    'waits beside an idle Claude Code session and ends with 2 when mail comes; what an asyncRewake hook runs',
    'rookery rewake < hook-input.json',
  ).action(async (flags: CommonFlags) => {
    process.exit(await rewake(flags));
  });
}

async function rewake(flags: CommonFlags): Promise<number> {
  const files = hubOf(flags);
  if (files === undefined) return 0;
  const config = configOf(flags);
  // A session that ends with its turn would wait for this program, a day long (observed with Claude Code 2.1.329).
  if (!config.wakeDoors.includes('async_rewake') || config.unattended) return 0;
  const { told, over, log, open } = await prepare(files, config, (await keyFromInput()) ?? config.clientKey, endOf(config));
  const { serveRewake } = await import('../wake/rewake.ts');
  const hub = await open();
  try {
    return await serveRewake({ hub, told, over, log, say: (line) => write(process.stderr, line) });
  } finally {
    await hub.close();
  }
}

/** Its client started this process itself, or by a shell. */
function endOf({ clientPid }: Config): AbortSignal {
  return clientEnd(clientPid ?? process.ppid);
}

/** Where the hub is, if there is one: what runs beside a client makes none. */
function hubOf({ home }: CommonFlags): HubFiles | undefined {
  return existingHub(home ?? process.env.ROOKERY_HOME, process.env.ROOKERY_DATABASE_URL);
}

/** The hub, however long it takes until there is one. */
async function awaited(flags: CommonFlags): Promise<{ files: HubFiles; config: Config }> {
  const ended = clientEnd(clientEnvironment(process.env).clientPid ?? process.ppid);
  for (;;) {
    const files = hubOf(flags);
    if (files !== undefined) return { files, config: configOf(flags) };
    if (ended.aborted) process.exit(0);
    await systemClock.sleep(LOOK_MS, ended);
  }
}

async function prepare(files: HubFiles, config: Config, clientKey: string | undefined, over: AbortSignal) {
  const [{ openAsGuest }, { openLog }] = await Promise.all([import('../open-guest.ts'), import('../system/log.ts')]);
  const told: Told = { projectId: config.place.project.id, clientPid: config.clientPid, clientKey };
  // Standard error is what the session is shown: the log goes to its file or nowhere.
  const log = openLog(config.logFile === undefined ? 'silent' : config.logLevel, config.logFile);
  return { told, over, log, open: () => openAsGuest(files, config), clock: systemClock };
}

/** Resolves when the line is out; rejects when nobody reads any more. */
function write(stream: NodeJS.WriteStream, line: string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(`${line}\n`, (error) => (error == null ? resolve() : reject(error))));
}

/** The hook's input names the client's session. */
async function keyFromInput(): Promise<string | undefined> {
  if (process.stdin.isTTY) return undefined;
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) {
    text += String(part);
    if (text.length > INPUT_CHARS) return undefined;
  }
  const input: unknown = JSON.parse(text);
  const id = input !== null && typeof input === 'object' && 'session_id' in input ? input.session_id : undefined;
  return typeof id === 'string' && id.length <= 128 ? `claude:${id}` : undefined;
}
