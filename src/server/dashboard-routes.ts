// What the dashboard needs beside the API that everybody uses: its files, signing in and out, and the views, which any overseer's token may
// read as well. Acting goes through POST /api/<tool> like every other client's (invariant 8).

import type { Hono } from 'hono';
import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import { FRESHNESS } from '../views/freshness.ts';
import { findView, views } from '../views/index.ts';
import type { HealthFinding, Serving } from '../views/view.ts';
import type { ApiParts } from './api.ts';
import { type ApiBindings, bearerOf } from './asked.ts';
import { readJson } from './body.ts';
import { cookieName, setCookie } from './browser-session.ts';

const CODE_BYTES = 1_024;
/** The doctor looks at files and the whole database; many pages may ask for it. */
const EXAMINED_MS = 10_000;

export type DashboardParts = ApiParts & {
  /** Whether browsers reach this hub by TLS, its own or a proxy's. */
  secure: boolean;
  examine: (() => Promise<readonly HealthFinding[]>) | undefined;
  serving: (() => Serving) | undefined;
};

export function dashboardRoutes(app: Hono<{ Bindings: ApiBindings }>, parts: DashboardParts): void {
  const { hub, page, secure, doorman, visitors, serving } = parts;
  const examine = parts.examine && atMostEvery(EXAMINED_MS, hub.context.clock, parts.examine);
  const name = cookieName(hub.instanceId);
  for (const [path, { body, headers }] of page) app.get(path, (c) => c.body(body, 200, headers));

  app.post('/sign-in', async (c) => {
    const { incoming, outgoing } = c.env;
    const code = toCode(await readJson(incoming, outgoing, CODE_BYTES));
    const session = await doorman.counting(incoming, () => hub.signIns.redeem(code));
    const maxAgeSeconds = Math.floor(hub.limits.browserSessionMs / 1000);
    c.header('Set-Cookie', setCookie(name, session.cookie, { maxAgeSeconds, secure }));
    return c.json({ proof: session.proof, project: session.projectId });
  });

  app.post('/sign-out', async (c) => {
    const bearer = bearerOf(c);
    if (bearer.everyProject === undefined)
      throw new HubError('invalid_input', 'A token does not sign out.', { hint: 'rookery token revoke ends it.' });
    const { caller, leave } = await visitors.visit(bearer, 'call');
    await hub.signIns.end(caller, bearer.tokenId).finally(leave);
    c.header('Set-Cookie', setCookie(name, '', { maxAgeSeconds: 0, secure }));
    return c.json({ signed_out: true });
  });

  app.get('/api/views', (c) => {
    const listed = views.map((view) => ({
      name: view.name,
      what: view.what,
      takes: Object.keys(view.input.shape),
      ...freshness(view.name),
    }));
    return c.json({ views: listed });
  });

  app.get('/api/views/:name', async (c) => {
    const view = findView(c.req.param('name'));
    if (view === undefined) {
      throw new HubError('not_found', 'There is no view of that name.', { hint: `Views: ${views.map((one) => one.name).join(', ')}.` });
    }
    const bearer = bearerOf(c);
    const { caller, leave } = await visitors.visit(bearer, 'call');
    try {
      return c.json(
        (await view.run({ hub, caller, everyProject: bearer.everyProject === true, examine, serving }, c.req.query())) as object,
      );
    } finally {
      leave();
    }
  });
}

function freshness(view: keyof typeof FRESHNESS) {
  const { touchedBy, freshMs } = FRESHNESS[view];
  return { touched_by: touchedBy, fresh_seconds: freshMs === null ? null : freshMs / 1000 };
}

function toCode(body: unknown): string {
  const code = body !== null && typeof body === 'object' && 'code' in body ? body.code : undefined;
  if (typeof code === 'string' && code !== '') return code;
  throw new HubError('invalid_input', 'code: is required.', { hint: 'It stands in the link that rookery dashboard prints.' });
}

/** The same work once for all who ask within that time. A failure is not kept. */
function atMostEvery<T>(ms: number, clock: Clock, work: () => Promise<T>): () => Promise<T> {
  let last: { at: number; result: Promise<T> } | undefined;
  return () => {
    const now = clock.monotonic();
    if (last === undefined || now - last.at >= ms) {
      const result = work();
      last = { at: now, result };
      result.catch(() => {
        last = undefined;
      });
    }
    return last.result;
  };
}
