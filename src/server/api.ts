// The routes beside MCP: every tool as POST /api/<tool>, the event stream, health, version and the page at `/`. They come after the gate
// (http.ts), which has let the request in; a tool's own answer and errors are the same as through MCP (invariant 8).

import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { METRICS, oversees } from '../hub/caller.ts';
import { toIso } from '../hub/clock.ts';
import { ERROR_CODES, type ErrorAnswer, HubError } from '../hub/errors.ts';
import { type Hub, VERSION } from '../hub/hub.ts';
import type { Log } from '../system/log.ts';
import { callTool, toAnswer } from '../tools/call.ts';
import { Connection } from '../tools/connection.ts';
import { findTool, toolsOf } from '../tools/index.ts';
import { TOOLSETS } from '../tools/tool.ts';
import { views } from '../views/index.ts';
import { type ApiBindings, type Asked, bearerOf } from './asked.ts';
import { bearerSecret, type Doorman } from './auth.ts';
import { readJson } from './body.ts';
import { type DashboardParts, dashboardRoutes } from './dashboard-routes.ts';
import { type StreamCounts, streamEvents } from './event-stream.ts';
import { openApi } from './openapi.ts';
import type { PageFile } from './page.ts';
import { API_CLIENT, type Principals } from './principals.ts';
import type { Readiness } from './readiness.ts';
import { errorHeaders, whenClosed } from './replies.ts';
import { endTask } from './task-webhook.ts';
import type { Visitors } from './visitors.ts';

export type ApiParts = {
  hub: Hub;
  principals: Principals;
  visitors: Visitors;
  doorman: Doorman;
  readiness: Readiness;
  log: Log;
  streams: StreamCounts;
  /** What /metrics answers; undefined where nothing is collected. */
  metrics: (() => Promise<string>) | undefined;
  /** The dashboard's files by their path. */
  page: ReadonlyMap<string, PageFile>;
};

export function apiRoutes(parts: DashboardParts): Hono<{ Bindings: ApiBindings }> {
  const { hub, log } = parts;
  const app = new Hono<{ Bindings: ApiBindings }>();
  const onDefect = (reference: string, error: unknown) => log.error({ event: 'defect', reference, err: error }, 'internal error');
  app.onError((error) => errorResponse(toAnswer(error, { onDefect })));
  app.notFound(() => errorResponse(noRoute().toAnswer()));

  app.get('/livez', (c) => c.text('ok\n'));
  app.get('/readyz', (c) => readyz(c, parts));
  app.get('/version', (c) =>
    c.json({ name: 'rookery', version: VERSION, instance_id: hub.instanceId, boot_id: hub.bootId, schema: hub.schema }),
  );
  app.post('/enrol', async (c) => {
    const { incoming } = c.env;
    const made = await parts.doorman.counting(incoming, () => hub.enrolments.exchange(bearerSecret(incoming) ?? ''));
    const expires_at = toIso(made.expiresAt);
    return c.json({ name: made.name, role: made.role, project: made.projectId, token: made.token, expires_at });
  });
  app.post('/hooks/task', async (c) => {
    const { incoming, outgoing } = c.env;
    return c.json(await parts.doorman.counting(incoming, () => endTask(hub, incoming, outgoing)));
  });
  dashboardRoutes(app, parts);
  app.post('/api/:tool', (c) => callApi(c, parts, onDefect));
  app.on(['GET', 'PUT', 'PATCH', 'DELETE'], '/api/:tool', () => {
    const error = new HubError('invalid_input', 'Tools are called with POST.', { hint: 'POST /api/<tool> with the arguments as JSON.' });
    return errorResponse(error.toAnswer(), 405, { Allow: 'POST' });
  });
  let document: ReturnType<typeof openApi> | undefined;
  app.get('/openapi.json', (c) => {
    document ??= openApi(toolsOf(TOOLSETS), views);
    return c.json(document);
  });
  app.get('/metrics', (c) => metricsText(c, parts));
  app.get('/events', async (c) => {
    const { incoming, outgoing } = c.env;
    if (incoming.method !== 'GET') return c.body(null, 405, { Allow: 'GET' });
    const bearer = bearerOf(c);
    if (!oversees(bearer))
      throw new HubError('forbidden', 'The event feed is for managers and the operator.', { hint: 'Ask one of them.' });
    const visit = await parts.visitors.visit(bearer, 'stream');
    try {
      await streamEvents(incoming, outgoing, {
        hub,
        caller: visit.caller,
        counts: parts.streams,
        recheck: () => parts.doorman.recognise(incoming, '/events'),
      });
    } catch (error) {
      if (!outgoing.headersSent) throw error;
      outgoing.destroy(); // the reader resumes by its cursor, and is told why then
    } finally {
      visit.leave();
    }
    return RESPONSE_ALREADY_SENT;
  });
  return app;
}

async function callApi(c: Asked, parts: ApiParts, onDefect: (reference: string, error: unknown) => void): Promise<Response> {
  const { hub, log, principals, visitors } = parts;
  const bearer = bearerOf(c);
  const offered = toolsOf(principals.toolsetsOf(bearer));
  const tool = findTool(c.req.param('tool') ?? '');
  if (tool === undefined || !offered.includes(tool)) {
    throw new HubError('not_found', 'There is no tool of that name.', { hint: `Tools: ${offered.map(({ name }) => name).join(', ')}.` });
  }
  const { incoming, outgoing } = c.env;
  const given = await readJson(incoming, outgoing, hub.limits.httpBodyBytes);
  const gone = new AbortController();
  whenClosed(outgoing, () => gone.abort());
  const visit = await visitors.visit(bearer, 'call');
  try {
    const toolsets = principals.toolsetsOf(bearer);
    const connection = principals.isOperator(bearer)
      ? Connection.fixed(hub, visit.caller, toolsets)
      : Connection.borrowing(hub, visit.caller, await principals.attachment(bearer, API_CLIENT), toolsets);
    const since = hub.context.clock.monotonic();
    const traceparent = incoming.headersDistinct.traceparent?.[0];
    const reply = await callTool(hub, connection, tool, given, { signal: gone.signal, onDefect, traceparent });
    const ms = Math.round(hub.context.clock.monotonic() - since);
    log.info({ event: 'api_call', tool: tool.name, agent: visit.caller.name, code: reply.ok ? 'ok' : reply.error.code, ms }, 'api call');
    return reply.ok ? c.json(reply.result) : errorResponse(reply.error);
  } finally {
    visit.leave();
  }
}

/** Numbers over all projects, without a name in them; so an agent of a project may not read them, but a token that can do nothing else may. */
async function metricsText(c: Asked, { metrics }: ApiParts): Promise<Response> {
  const bearer = bearerOf(c);
  if (!oversees(bearer) && bearer.role !== METRICS) {
    throw new HubError('forbidden', 'Metrics are for the operator, managers, and tokens that were made for them.', {
      hint: `rookery token create --agent prometheus --role ${METRICS}`,
    });
  }
  if (metrics === undefined) throw new HubError('not_found', 'This server collects no metrics.', { hint: 'rookery serve does.' });
  return c.text(await metrics(), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
}

/** Anybody may know whether the hub is ready; why it is not is for those with a token. */
async function readyz(c: Asked, { doorman, readiness }: ApiParts): Promise<Response> {
  const problems = await readiness.problems();
  const known = await doorman.recognise(c.env.incoming).catch(() => undefined);
  const status = problems.length === 0 ? 'ready' : 'not ready';
  return c.json(known === undefined ? { status } : { status, problems }, problems.length === 0 ? 200 : 503);
}

function noRoute(): HubError {
  return new HubError('not_found', 'There is nothing at this address.', {
    hint: 'Routes: /mcp, POST /api/<tool>, /api/views, POST /hooks/task, /events, /metrics, /openapi.json, /livez, /readyz, /version.',
  });
}

function errorResponse(
  error: ErrorAnswer,
  status: number = ERROR_CODES[error.code].status,
  headers: Record<string, string> = {},
): Response {
  return Response.json(error, { status, headers: { ...errorHeaders(error), ...headers } });
}
