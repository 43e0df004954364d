// A hub served over HTTP for tests: a real listener on a free port, a real database, real clients. Nothing is mocked and time is real,
// so tests wait for conditions, never for the clock.

import { request } from 'node:http';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { createHub, type Hub } from '../../src/hub/hub.ts';
import { effectiveLimits, type LimitName } from '../../src/hub/limits.ts';
import type { Project } from '../../src/hub/projects.ts';
import { type Duty, dutiesOf } from '../../src/scheduler/duties.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { HttpDoor, type HttpSettings } from '../../src/server/http.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemHost } from '../../src/system/host.ts';
import { systemIds } from '../../src/system/ids.ts';
import { openLog } from '../../src/system/log.ts';
import { systemFiles } from '../../src/system/project-files.ts';
import { cleanup, PROJECT, scratch } from '../support/engines.ts';
import { assertNoErrors } from '../support/log-file.ts';

export { connect } from '../support/mcp-agent.ts';

export type Options = {
  place?: string;
  limits?: Partial<Record<LimitName, number>>;
  settings?: Partial<HttpSettings>;
  /** Timed duties beside the hub's own. */
  duties?: Duty[];
  /** Events of the log that are errors and meant to be; any other error fails the test. */
  errors?: readonly string[];
};
export type Served = {
  hub: Hub;
  door: HttpDoor;
  url: string;
  place: string;
  logFile: string;
  /** A token for an agent (or `operator`) of a project. */
  token(agent: string, more?: { role?: string; project?: Project; lifeMs?: number }): Promise<string>;
  close(): Promise<void>;
};

export async function serveHub({ place = scratch(), limits, settings, duties = [], errors = [] }: Options = {}): Promise<Served> {
  const db = await openSqlite({ path: join(place, 'hub.db'), bellDir: join(place, 'run'), clock: systemClock });
  const hub = await createHub({
    db,
    clock: systemClock,
    ids: systemIds(systemClock),
    limits: effectiveLimits({ sendPerSecond: 10_000, sendBurst: 10_000, sendPerMinute: 100_000, ...limits }),
    host: systemHost,
    files: systemFiles,
  });
  const logFile = join(place, 'log.jsonl');
  const log = openLog('debug', logFile);
  const scheduler = new Scheduler(hub, [...dutiesOf(hub), ...duties], systemClock, log);
  const door = new HttpDoor({
    hub,
    scheduler,
    log,
    settings: {
      host: '127.0.0.1',
      port: 0,
      behindProxy: false,
      tlsCert: undefined,
      tlsKey: undefined,
      allowedHosts: [],
      allowedOrigins: [],
      toolsets: ['core', 'work'],
      ...settings,
    },
  });
  await door.listen();
  scheduler.start();
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      await door.close();
      await scheduler.stop();
      await hub.close();
    })();
    return closing;
  };
  cleanup(async () => {
    await close();
    assertNoErrors(logFile, errors);
  });
  return {
    hub,
    door,
    url: door.url,
    place,
    logFile,
    close,
    async token(agent, { role, project = PROJECT, lifeMs } = {}) {
      const operator = await hub.projects.operator(project, 'cli');
      return (await hub.tokens.create(operator, { agent, role, lifeMs })).token;
    },
  };
}

/** Revokes the token of that secret. */
export async function revoke(hub: Hub, secret: string, project: Project = PROJECT): Promise<void> {
  const { tokenId } = await hub.tokens.authenticate(secret);
  await hub.tokens.revoke(await hub.projects.operator(project, 'cli'), tokenId);
}

export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; text: string };

/** One plain request, with exactly these headers: fetch would not let a test choose its Host. */
export function ask(
  url: string,
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
    token,
  }: { method?: string; headers?: Record<string, string>; body?: string; token?: string | undefined } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const auth = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const asked = request(new URL(path, url), { method, agent: false, headers: { ...auth, ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        // A stream has no end; its first words are enough.
        if (response.headers['content-type'] === 'text/event-stream') response.destroy();
      });
      response.on('close', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Calls a tool through the HTTP API. */
export async function api(url: string, token: string, tool: string, args: unknown = {}, signal?: AbortSignal) {
  const response = await fetch(`${url}/api/${tool}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(args),
    signal: signal ?? null,
  });
  return { status: response.status, body: toObject(await response.json()) };
}

/** Calls a tool through MCP and answers its structured content; errors come as their answer with `code`. */
export async function call(client: Client, name: string, args: Record<string, unknown> = {}, signal?: AbortSignal) {
  const result = await client.callTool({ name, arguments: args }, undefined, signal === undefined ? {} : { signal });
  if (result.isError !== true) return toObject(result.structuredContent);
  const [first] = Array.isArray(result.content) ? result.content : [];
  return toObject(JSON.parse(first.text));
}

export function toObject(value: unknown): Record<string, unknown> & { messages?: { id: string; body: string; from: string }[] } {
  return value as Record<string, unknown>;
}
