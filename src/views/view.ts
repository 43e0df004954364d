// What a view is: one look at a project for those who oversee it. The dashboard, GET /api/views/<name> and the tables of the command line are
// made from the same one. A view only looks: it leases, acknowledges and changes nothing, whatever is asked (C4).

import * as z from 'zod';
import { assertOversees, type Caller } from '../hub/caller.ts';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { ViewName } from './freshness.ts';

/** One finding of the doctor, as it is shown. */
export type HealthFinding = { check: string; status: 'ok' | 'warn' | 'fail' | 'unknown'; what: string; why?: string; fix?: string };

/** What a server knows of itself alone, since it started: its event streams, its sessions, and its timed duties that fail. */
export type Serving = {
  streams: { open: number; opened: number; resumed: number; cutOff: number; events: number };
  sessions: number;
  failing: readonly { duty: string; failures: number; lastError: string }[];
};

export type Look = {
  readonly hub: Hub;
  readonly caller: Caller;
  /** Whether the one who looks may see the other projects of this hub. */
  readonly everyProject: boolean;
  /** What the doctor says; undefined where no doctor is at hand. */
  readonly examine: (() => Promise<readonly HealthFinding[]>) | undefined;
  /** How the server that is asked has been serving; undefined where none is. */
  readonly serving?: (() => Serving) | undefined;
};

type Shape = z.ZodRawShape;

export type View<O> = {
  readonly name: ViewName;
  readonly what: string;
  readonly input: z.ZodObject;
  run(look: Look, given: unknown): Promise<O>;
};

/** Defines a view. Its arguments come as texts, from a query string or a command line. */
export function defineView<I extends Shape, O>(definition: {
  name: ViewName;
  what: string;
  input: I;
  run(look: Look, input: z.output<z.ZodObject<I>>): Promise<O>;
}): View<O> {
  const { name, what, run } = definition;
  const input = z.strictObject(definition.input);
  return {
    name,
    what,
    input,
    run: async (look, given) => {
      assertOversees(look.caller, `look at ${name}`);
      const parsed = input.safeParse(given);
      if (parsed.success) return await run(look, parsed.data as z.output<z.ZodObject<I>>);
      const [issue] = parsed.error.issues;
      const field = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path.join('.');
      throw new HubError('invalid_input', `${(field ?? 'arguments').slice(0, 48)}: ${issue?.message ?? 'does not fit'}.`, {
        hint: `${name} takes: ${Object.keys(input.shape).join(', ') || 'nothing'}.`,
      });
    },
  };
}

/** A page of a listing: `limit` up to `most`. */
export function pageSize(usual: number, most: number) {
  return z.coerce.number().int().min(1).max(most).default(usual).describe(`at most ${most}; ${usual} by default`);
}
