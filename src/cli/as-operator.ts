// The frame of every command that works on the hub: open it directly (no server is needed), act as the operator of the project, close.
// The operating-system user is the operator: whoever may open the database may do what the operator may (C15).

import type { Config } from '../config.ts';
import type { Caller } from '../hub/caller.ts';
import type { Hub } from '../hub/hub.ts';
import { openLog } from '../system/log.ts';
import { callTool } from '../tools/call.ts';
import { Connection } from '../tools/connection.ts';
import { TOOLSETS, type Tool } from '../tools/tool.ts';
import type { View } from '../views/view.ts';
import { type CommonFlags, configOf } from './command.ts';
import { toError } from './failure.ts';
import { assertPerson } from './person.ts';
import { openTerminal, type Terminal } from './terminal.ts';

export type Operator = {
  hub: Hub;
  config: Config;
  caller: Caller;
  terminal: Terminal;
  /** Aborts when the user interrupts the command. */
  signal: AbortSignal;
  /** Calls a tool through the one point of enforcement; a refusal is thrown. */
  call(tool: Tool, input: unknown): Promise<Record<string, unknown>>;
  /** What the dashboard is shown, too. */
  look<O>(view: View<O>, input?: Record<string, unknown>): Promise<O>;
};

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Opens the hub and runs `work`, as the operator or as the agent that --as-agent names; closes it whatever happens. */
export async function asOperator(flags: CommonFlags & { asAgent?: string }, work: (operator: Operator) => Promise<void>): Promise<void> {
  const config = configOf(flags);
  const { openHub } = await import('../open.ts');
  const hub = await openHub(config);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    const { caller, connection, leave } = await actor(hub, config, flags.asAgent);
    const log = openLog(config.logLevel, config.logFile);
    const onDefect = (reference: string, error: unknown) => log.error({ event: 'defect', reference, err: error }, 'internal error');
    const call = async (tool: Tool, input: unknown) => {
      if (tool.personal && flags.asAgent === undefined) await assertPerson(hub, config);
      const reply = await callTool(hub, connection, tool, input, { signal: interrupted.signal, onDefect });
      if (!reply.ok) throw toError(reply.error);
      return reply.result;
    };
    const look = <O>(view: View<O>, input: Record<string, unknown> = {}) =>
      view.run({ hub, caller, everyProject: true, examine: undefined }, input);
    try {
      await work({ hub, config, caller, terminal: openTerminal(config), signal: interrupted.signal, call, look });
    } finally {
      await leave();
    }
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupt);
    await hub.close();
  }
}

async function actor(hub: Hub, config: Config, name: string | undefined) {
  if (name !== undefined) return await (await import('./as-agent.ts')).actAs(hub, config, name);
  const caller = await hub.projects.operator(config.place.project, 'cli');
  return { caller, connection: Connection.fixed(hub, caller, TOOLSETS), leave: async () => {} };
}
