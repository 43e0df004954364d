// The frame of every command that works on the hub: open it directly (no server is needed), act as the operator of the project, close.
// The operating-system user is the operator: whoever may open the database may do what the operator may (C15).

import type { Config } from '../config.ts';
import type { Caller } from '../hub/caller.ts';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import { nearestNames } from '../hub/names.ts';
import type { Project } from '../hub/projects.ts';
import { openLog } from '../system/log.ts';
import { callTool } from '../tools/call.ts';
import { Connection } from '../tools/connection.ts';
import { TOOLSETS, type Tool } from '../tools/tool.ts';
import type { View } from '../views/view.ts';
import { type CommonFlags, configOf } from './command.ts';
import { toError } from './failure.ts';
import { interrupts } from './interrupts.ts';
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
  /** The operator of another project of this hub. */
  of(project: Project): Promise<Operator>;
};

/**
 * Opens the hub and runs `work`, as the operator or as the agent that --as-agent names; closes it whatever happens. A project that is
 * named and not there is refused, so that a mistyped name makes none; `begins`: this may be the first that is done in it.
 */
export async function asOperator(
  flags: CommonFlags & { asAgent?: string; begins?: boolean; allProjects?: boolean },
  work: (operator: Operator) => Promise<void>,
): Promise<void> {
  const config = configOf(flags);
  const { openHub } = await import('../open.ts');
  const hub = await openHub(config);
  const interrupted = interrupts({ insists: true });
  try {
    if (flags.begins !== true && flags.project !== undefined) await assertKnown(hub, config.place.project, flags.project);
    const { caller: actingCaller, connection: actingConnection, leave } = await actor(hub, config, flags);
    const log = openLog(config.logLevel, config.logFile);
    const onDefect = (reference: string, error: unknown) => log.error({ event: 'defect', reference, err: error }, 'internal error');
    const operatorFor = (caller: Caller, connection: Connection): Operator => ({
      hub,
      config,
      caller,
      terminal: openTerminal(config),
      signal: interrupted.signal,
      async call(tool, input) {
        if (tool.personal && flags.asAgent === undefined) await assertPerson(hub, config);
        const reply = await callTool(hub, connection, tool, input, { signal: interrupted.signal, onDefect });
        if (!reply.ok) throw toError(reply.error);
        return reply.result;
      },
      look: (view, input = {}) => view.run({ hub, caller, everyProject: true, examine: undefined }, input),
      async of(project) {
        const operator = await hub.projects.operator(project, 'cli');
        return operatorFor(operator, Connection.fixed(hub, operator, TOOLSETS));
      },
    });
    try {
      await work(operatorFor(actingCaller, actingConnection));
    } finally {
      await leave();
    }
  } finally {
    interrupted.release();
    await hub.close();
  }
}

async function actor(hub: Hub, config: Config, { asAgent, allProjects }: { asAgent?: string; allProjects?: boolean }) {
  if (asAgent !== undefined) return await (await import('./as-agent.ts')).actAs(hub, config, asAgent);
  // Who looks at all projects makes none of the folder where they stand.
  const [first] = allProjects === true ? await hub.projects.list() : [];
  const caller = await hub.projects.operator(first ?? config.place.project, 'cli');
  return { caller, connection: Connection.fixed(hub, caller, TOOLSETS), leave: async () => {} };
}

async function assertKnown(hub: Hub, project: Project, given: string): Promise<void> {
  const known = await hub.projects.list();
  if (known.some(({ id }) => id === project.id)) return;
  const names = [...new Set(known.map(({ name }) => name))];
  const near = nearestNames(given, names);
  throw new HubError('not_found', `This hub has no project ${given.slice(0, 80)}.`, {
    hint: near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'rookery projects lists them; --all-projects shows all at once.',
  });
}
