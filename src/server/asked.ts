// A request as the routes behind the gate see it: Node's own request and response, and who sends it.

import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Bearer } from '../hub/tokens.ts';

/** What the gate hands on; the bearer is there on routes that need somebody. */
export type ApiBindings = HttpBindings & { bearer: Bearer | undefined };
export type Asked = Context<{ Bindings: ApiBindings }>;

/** The gate admits nobody without a credential to data routes; a route that forgot to ask for one is a defect. */
export function bearerOf(c: Asked): Bearer {
  if (c.env.bearer === undefined) throw new Error('a data route was reached without authentication');
  return c.env.bearer;
}
