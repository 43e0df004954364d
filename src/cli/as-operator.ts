// The frame of every command that works on the hub: open it directly (no server is needed), act as the operator of the project, close.
// The operating-system user is the operator: whoever may open the database may do what the operator may (C15).

import type { Config } from '../config.ts';
import type { Caller } from '../hub/caller.ts';
import type { Hub } from '../hub/hub.ts';
import { openLog } from '../system/log.ts';
import { callTool } from '../tools/call.ts';
import { Connection } from '../tools/connection.ts';
import { TOOLSETS, type Tool } from '../tools/tool.ts';
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
};

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Opens the hub and runs `work`; closes it whatever happens. */
export async function asOperator(flags: CommonFlags, work: (operator: Operator) => Promise<void>): Promise<void> {
  const config = configOf(flags);
  const { openHub } = await import('../open.ts');
  const hub = await openHub(config);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    const caller = await hub.projects.operator(config.place.project, 'cli');
    const connection = Connection.fixed(hub, caller, TOOLSETS);
    const log = openLog(config.logLevel, config.logFile);
    const onDefect = (reference: string, error: unknown) => log.error({ event: 'defect', reference, err: error }, 'internal error');
    const call = async (tool: Tool, input: unknown) => {
      if (tool.personal) await assertPerson(hub, config);
      const reply = await callTool(hub, connection, tool, input, { signal: interrupted.signal, onDefect });
      if (!reply.ok) throw toError(reply.error);
      return reply.result;
    };
    await work({ hub, config, caller, terminal: openTerminal(config), signal: interrupted.signal, call });
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupt);
    await hub.close();
  }
}
