// What callTool needs of a tool. Tools that models see add a schema and words to it (tool.ts); the one that only hooks call is nothing more, and
// so can be called without loading what schemas are made with: a hook is waited for.

import type { Caller } from '../hub/caller.ts';
import type { Hub } from '../hub/hub.ts';
import type { Connection } from './connection.ts';

export type ToolCall = {
  readonly hub: Hub;
  /** Who calls. Tools that `identify` may be called before anybody is, and use the connection instead. */
  readonly caller: Caller;
  readonly connection: Connection;
  readonly key: string | undefined;
  /** The arguments as validated, without the common ones: what an idempotency key stands for. */
  readonly args: unknown;
  readonly signal: AbortSignal | undefined;
  /** The W3C trace that the call belongs to. */
  readonly traceparent?: string | undefined;
};

/** What a tool answers, by the names of its fields. */
export type Answer = Record<string, unknown>;

export type Callable<A extends Answer = Answer> = {
  readonly name: string;
  /** In no list: called by the hooks of a client on this machine, never over the network, and recorded by what it does. */
  readonly unlisted: boolean;
  readonly identifies: boolean;
  readonly overseers: boolean;
  /** The arguments as they are run with. Throws `invalid_input`, naming the field and what it should be. */
  parse(given: unknown): Record<string, unknown>;
  run(call: ToolCall, input: Record<string, unknown>): Promise<A>;
};
