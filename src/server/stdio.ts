// `rookery stdio`: the MCP server that a client starts for itself. It is a peer on the shared database and needs nothing else running.
// Standard output carries JSON-RPC lines and nothing else (T-15). It ends, within a second, at the end of its input, when its parent is gone,
// when its output breaks, or on a signal (C19). A client waits for the answer to `initialize`, so the hub is loaded and opened after it.

import type { Config } from '../config.ts';
import type { Hub } from '../hub/hub.ts';
import { LIMITS } from '../hub/limits.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Log } from '../system/log.ts';
import { Connection } from '../tools/connection.ts';
import { CHANNEL_CAPABILITY } from '../wake/channel.ts';
import { Direct } from './direct.ts';
import { LineLimit, type Refusal } from './lines.ts';
import { McpSession } from './mcp.ts';

export type Opened = { hub: Hub; scheduler: Scheduler };
export type StdioParts = {
  config: Config;
  log: Log;
  /** Loads and opens the hub. Its failure ends the server with one sentence on standard error. */
  open: () => Promise<Opened>;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Told of the first call that was answered. */
  called?: (() => void) | undefined;
};

/** How often the parent is looked after. */
const PARENT_CHECK_MS = 2_000;
/** Whatever hangs, the process is gone by then. */
const HARD_STOP_MS = 900;
/** After its handshake a client asks what there is, and is answered before the hub is opened. */
const HANDSHAKE_MS = 30;
/** A hub is opened for a client that says nothing, too: it may be broken, and that is told. */
const SILENCE_MS = 250;

/** Serves until the client goes. Answers the exit code. */
export async function serveStdio({ config, log, open, sleep, called }: StdioParts): Promise<number> {
  const client = process.ppid;
  const over = ending(sleep);
  let told: string | undefined;
  const { now, later } = openedOnce(async () => {
    const opened = await open();
    // Before anybody can call: a client's hooks may know better than its environment which of its sessions this is.
    told = await opened.hub.clientProcesses.keyOf(client);
    return opened;
  });
  const session = new McpSession({
    hub: { now: () => now().then(({ hub }) => hub), later: later.then(({ hub }) => hub) },
    toolsets: config.toolsets,
    unlisted: { name: 'hook', load: async () => (await import('../tools/hook.ts')).hook },
    follow: (connection) => {
      const following = later.then(async ({ hub }) => (await import('./follow-client.ts')).followClient(hub, connection, client, log));
      following.catch((error: unknown) => log.warn({ event: 'follow_ended', err: error }, 'the client is not followed any more'));
    },
    log,
    experimental: CHANNEL_CAPABILITY,
    connect: (hub, { name, version }) =>
      Connection.attaching(
        hub,
        {
          project: config.place.project,
          door: 'stdio',
          client: { name, version, key: told ?? config.clientKey, pid: client },
          root: config.place.workRoot,
          name: config.agent,
          role: config.role,
          enrol: config.enrol,
        },
        config.toolsets,
      ),
  });
  const greeted = new AbortController();
  const write = (line: string) => process.stdout.write(line);
  const direct = new Direct(session, write, (method) => {
    if (method === 'initialize') greeted.abort();
    if (method === 'tools/call') called?.();
  });
  const limit = config.limits.stdioLineBytes ?? LIMITS.stdioLineBytes.value;
  const lines = new LineLimit(
    limit,
    (message) => direct.receive(message),
    (id, why) => write(`${JSON.stringify({ jsonrpc: '2.0', id, error: refusalOf(why, limit) })}\n`),
  );
  process.stdin.on('data', (chunk: Buffer) => lines.read(chunk));
  void (async () => {
    await Promise.race([sleep(SILENCE_MS, greeted.signal), over]);
    await Promise.race([sleep(HANDSHAKE_MS), over]);
    await now();
  })().catch(() => {}); // it is told below
  // A hub that cannot be opened ends the process: a server that answers nothing but errors helps nobody.
  const { hub, scheduler } = await later;
  scheduler.keepAlive(() => (session.caller === undefined ? [] : [session.caller.sessionId]));
  scheduler.start();
  const { wakerOf } = await import('./stdio-waker.ts');
  const waking = new AbortController();
  const woken = wakerOf({ config, log, hub, session, sleep, notify: (method, params) => direct.notify(method, params) }).run(waking.signal);
  const reason = await over;
  log.info({ event: 'stopping', reason }, 'stopping');
  const ended = async () => {
    waking.abort();
    await woken;
    await stop(hub, scheduler, session, reason);
  };
  await Promise.race([ended(), sleep(HARD_STOP_MS)]);
  return 0;
}

/** `now` does it, the first time; `later` is when it is done. */
function openedOnce<T>(open: () => Promise<T>): { now: () => Promise<T>; later: Promise<T> } {
  let opened: Promise<T> | undefined;
  let settle: (value: Promise<T>) => void = () => {};
  const later = new Promise<T>((resolve) => {
    settle = resolve;
  });
  const now = () => {
    if (opened === undefined) {
      opened = open();
      settle(opened);
    }
    return opened;
  };
  return { now, later };
}

/** JSON-RPC 2.0, section 5.1: -32700 for what is no JSON, -32600 for what is no request. */
function refusalOf(why: Refusal, limit: number): { code: number; message: string } {
  if (why === 'no JSON') return { code: -32700, message: 'This line is not JSON; it was dropped.' };
  if (why === 'no message') return { code: -32600, message: 'This line is not one JSON-RPC message; batches are not taken.' };
  return {
    code: -32600,
    message: `A line may have ${limit} bytes; this one was longer and was dropped. Refer to files instead of quoting them.`,
  };
}

async function stop(hub: Hub, scheduler: Scheduler, session: McpSession, reason: string): Promise<void> {
  hub.context.waiting.shutdown();
  await scheduler.stop();
  await session.end(reason === 'input ended' ? 'closed' : 'shutdown');
  await hub.close();
}

/** Resolves with the reason when the server is to end. */
function ending(sleep: StdioParts['sleep']): Promise<string> {
  return new Promise((resolve) => {
    process.stdin.on('end', () => resolve('input ended'));
    process.stdin.on('close', () => resolve('input ended'));
    process.stdin.on('error', () => resolve('input broke'));
    process.stdout.on('error', () => resolve('output broke'));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
    const parent = process.ppid;
    void (async () => {
      while (process.ppid === parent) await sleep(PARENT_CHECK_MS);
      resolve('parent gone');
    })();
  });
}
