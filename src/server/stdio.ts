// `rookery stdio`: the MCP server that a client starts for itself. It is a peer on the shared database and needs nothing else running.
// Standard output carries JSON-RPC lines and nothing else (T-15). It ends, within a second, at the end of its input, when its parent is gone,
// when its output breaks, or on a signal (C19); the SDK's transport of this line does not notice the end of input by itself.

import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Config } from '../config.ts';
import type { Hub } from '../hub/hub.ts';
import { LIMITS } from '../hub/limits.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Log } from '../system/log.ts';
import { Connection } from '../tools/connection.ts';
import { hook } from '../tools/hook.ts';
import { CHANNEL_CAPABILITY } from '../wake/channel.ts';
import { clientDoors } from '../wake/client-doors.ts';
import { Waker } from '../wake/waker.ts';
import { followClient } from './follow-client.ts';
import { LineLimit, type Refusal } from './lines.ts';
import { McpSession } from './mcp.ts';

export type Opened = { hub: Hub; scheduler: Scheduler };
type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** How often the parent is looked after. */
const PARENT_CHECK_MS = 2_000;
/** Whatever hangs, the process is gone by then. */
const HARD_STOP_MS = 900;

/** Serves until the client goes. Answers the exit code. `open` runs beside the handshake; its failure ends the server with one sentence on stderr. */
export async function serveStdio(config: Config, log: Log, open: () => Promise<Opened>, sleep: Sleep): Promise<number> {
  const opened = open();
  const client = process.ppid;
  let told: string | undefined;
  const session = new McpSession({
    // Before anybody can call: a client's hooks may know better than its environment which of its sessions this is.
    hub: opened.then(async ({ hub }) => {
      told = await hub.clientProcesses.keyOf(client);
      return hub;
    }),
    toolsets: config.toolsets,
    unlisted: [hook],
    follow: (connection) => {
      const following = opened.then(({ hub }) => followClient(hub, connection, client, log));
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
  const limit = config.limits.stdioLineBytes ?? LIMITS.stdioLineBytes.value;
  const lines = new LineLimit(limit, (id, why) =>
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, error: refusalOf(why, limit) })}\n`),
  );
  const over = ending(sleep);
  process.stdin.pipe(lines);
  await session.server.connect(new StdioServerTransport(lines, process.stdout));
  // A hub that cannot be opened ends the process: a server that answers nothing but errors helps nobody.
  const { hub, scheduler } = await opened;
  scheduler.keepAlive(() => (session.caller === undefined ? [] : [session.caller.sessionId]));
  scheduler.start();
  const waking = new AbortController();
  const woken = wakerOf(config, log, hub, session, sleep).run(waking.signal);
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

/** This process lives as long as its client, so it is the one that wakes it. */
function wakerOf(config: Config, log: Log, hub: Hub, session: McpSession, sleep: Sleep): Waker {
  return new Waker({
    hub,
    log,
    sleeper: async () => {
      // Codex tells its thread with its first call, and cannot be woken before.
      const isReachable = !/codex/i.test(session.clientName ?? '') || session.threadId !== undefined;
      return session.caller?.epoch != null && isReachable ? session.caller : undefined;
    },
    doors: () => {
      const notify = (method: string, params: Record<string, unknown>) => session.server.notification({ method, params });
      const client = { name: session.clientName ?? '', threadId: session.threadId, parentPid: process.ppid, notify };
      return clientDoors(client, config, { env: config.childEnv, ids: hub.context.ids, sleep });
    },
    busy: () => hub.calls.running > 0,
  });
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
function ending(sleep: Sleep): Promise<string> {
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
