// What a tool is: one object from which the MCP tool, the HTTP route, the command and its documentation are made.
// `run` is an adapter: it turns tool words into service words and back. No SQL, no try/catch, no clock.

import * as z from 'zod';
import { parseArguments } from './arguments.ts';
import type { Answer, Callable, ToolCall } from './callable.ts';
import { once } from './once.ts';
import type { Toolset } from './toolsets.ts';

/** What a tool may do: look, change, or destroy. Clients decide by it whether to ask a person first. */
export type Access = 'read' | 'write' | 'destructive';

export type { ToolCall } from './callable.ts';
export { DEFAULT_TOOLSETS, TOOLSETS, type Toolset } from './toolsets.ts';

type Shape = z.ZodRawShape;

export type Definition<I extends Shape, O extends Shape> = {
  name: string;
  title: string;
  /** When to use it and what comes back. */
  description: string;
  access: Access;
  toolset: Toolset;
  /** May be called for a sub-agent that this session registered. */
  as?: true;
  /** Settles who the caller is, so it is also answered when that is refused so far. */
  identifies?: true;
  /** Only for managers and the operator. */
  overseers?: true;
  /** Carries the authority of the person who calls: the command line refuses it to an agent that runs commands. */
  personal?: true;
  /** Calling it again with the same arguments changes nothing more. */
  idempotent?: true;
  /** Used in every turn: worth showing to a model before it asks. */
  daily?: true;
  /** Made when they are asked for. */
  input: () => I;
  output: () => O;
  run(call: ToolCall, input: z.output<z.ZodObject<I>>): Promise<z.input<z.ZodObject<O>>>;
};

export type Tool<A extends Answer = Answer> = Callable<A> & {
  readonly title: string;
  readonly description: string;
  readonly access: Access;
  readonly toolset: Toolset;
  readonly acceptsAs: boolean;
  readonly personal: boolean;
  readonly idempotent: boolean;
  readonly daily: boolean;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
};

/** Small and in every reply, because agents forget to poll. */
const inboxSummary = once(() =>
  z
    .object({
      unread: z.int().describe('ready and never shown'),
      urgent: z.int().describe('of these, urgent'),
      owed: z.int().describe('shown and unacknowledged, or acknowledged and still to be replied to'),
    })
    .describe('what waits for you'),
);

/** Defines a tool. Writing tools get `idempotency_key`; tools marked `as` get `as`; unknown fields are refused. */
export function defineTool<I extends Shape, O extends Shape>(definition: Definition<I, O>): Tool<z.input<z.ZodObject<O>>> {
  const {
    as: acceptsAs = false,
    identifies = false,
    overseers = false,
    personal = false,
    idempotent = false,
    daily = false,
    input,
    output,
    run,
    ...words
  } = definition;
  const common = () => ({
    ...(definition.access === 'read'
      ? {}
      : { idempotency_key: z.string().min(1).max(128).optional().describe('repeat safely: same key, same result') }),
    ...(acceptsAs ? { as: z.string().optional().describe('a sub-agent this session registered') } : {}),
  });
  const strict = once(() => z.strictObject(input()));
  const whole = once(() => z.strictObject({ ...input(), ...common() }));
  const answer = once(() =>
    z.object({
      ...output(),
      replayed: z.boolean().optional().describe('an earlier result, repeated'),
      inbox: inboxSummary(),
    }),
  );
  return {
    ...words,
    unlisted: false,
    acceptsAs,
    identifies,
    overseers,
    personal,
    idempotent,
    daily,
    get input() {
      return whole();
    },
    get output() {
      return answer();
    },
    parse: (given) => parseArguments(words.name, whole(), given),
    run: (call, given) => run(call, strict().parse(given) as z.output<z.ZodObject<I>>),
  };
}
