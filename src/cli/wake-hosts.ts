// rookery monitor and rewake: what Claude Code starts beside a session so that mail wakes it. Both are silent until then, and neither ever
// troubles the client: where nothing can be done they wait (monitor) or end with 0 (rewake).

import type { Command } from 'commander';
import { clientEnvironment } from '../client-environment.ts';
import type { Config } from '../config.ts';
import type { Told } from '../wake/client-agent.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const LOOK_MS = 2_000;
const BORN_EVERY = 30;
const INPUT_CHARS = 1_048_576;

export function registerWakeHosts(program: Command): void {
  addCommand(
    program,
    'monitor',
    'wakes an idle Claude Code session with a line per piece of news; what a plug-in’s monitor runs',
    'rookery monitor',
  ).action(async (flags: CommonFlags) => {
    const ended = await clientEnd();
    try {
      const config = configOf(flags);
      if (!config.wakeDoors.includes('monitor')) return await silence(ended);
      const parts = await prepare(config, config.clientKey, ended);
      const { serveMonitor } = await import('../wake/monitor.ts');
      await serveMonitor({ ...parts, print: (line) => write(process.stdout, line) });
    } catch {
      // A setting is wrong, or a file is missing: its end would be shown to the model as news.
      return await silence(ended);
    }
    process.exit(0);
  });
  addCommand(
    program,
    'rewake',
    'waits beside an idle Claude Code session and ends with 2 when mail comes; what an asyncRewake hook runs',
    'rookery rewake < hook-input.json',
  ).action(async (flags: CommonFlags) => {
    process.exit(await rewake(flags).catch(() => 0));
  });
}

/** Nothing but to end with the client. */
async function silence(ended: AbortSignal): Promise<never> {
  if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
  process.exit(0);
}

async function rewake(flags: CommonFlags): Promise<number> {
  const config = configOf(flags);
  // A session that ends with its turn would wait for this program, a day long (observed with Claude Code 2.1.329).
  if (!config.wakeDoors.includes('async_rewake') || config.unattended) return 0;
  const { told, over, log, open } = await prepare(config, (await keyFromInput()) ?? config.clientKey, await clientEnd());
  const { serveRewake } = await import('../wake/rewake.ts');
  const hub = await open();
  try {
    return await serveRewake({ hub, told, over, log, say: (line) => write(process.stderr, line) });
  } finally {
    await hub.close();
  }
}

async function prepare(config: Config, clientKey: string | undefined, over: AbortSignal) {
  const [{ openHub }, { openLog }, { systemClock }] = await Promise.all([
    import('../open.ts'),
    import('../system/log.ts'),
    import('../system/clock.ts'),
  ]);
  const told: Told = { projectId: config.place.project.id, clientPid: config.clientPid, clientKey };
  // Standard error is what the session is shown: the log goes to its file or nowhere.
  const log = openLog(config.logFile === undefined ? 'silent' : config.logLevel, config.logFile);
  return { told, over, log, open: () => openHub(config), clock: systemClock };
}

/** Aborts when the client ends, which started this process itself or by a shell; or when it asks this process to end. */
async function clientEnd(): Promise<AbortSignal> {
  const [{ systemClock }, { systemHost }] = await Promise.all([import('../system/clock.ts'), import('../system/host.ts')]);
  const over = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => over.abort());
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => over.abort());
  const client = clientEnvironment(process.env).clientPid ?? process.ppid;
  const born = systemHost.bornOf(client);
  void (async () => {
    // When a process was born is asked of another program where there is no /proc, so it is asked rarely.
    const isOther = (round: number) => round % BORN_EVERY === 0 && systemHost.bornOf(client) !== born;
    for (let round = 0; !over.signal.aborted && systemHost.isAlive(client) && !isOther(round); round++)
      await systemClock.sleep(LOOK_MS, over.signal);
    over.abort();
  })();
  return over.signal;
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
