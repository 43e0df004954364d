// --as-agent: a command as one of the agents. The name only says which is meant; what makes the caller that agent is a credential (C15): the agent's
// own token in ROOKERY_TOKEN; or the session of the client that runs this command; or, for a person in a terminal of their own, that the hub's
// folder is theirs, by which a stdio server of theirs could take the name just as well.

import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../config.ts';
import { type Caller, OPERATOR } from '../hub/caller.ts';
import { HubError } from '../hub/errors.ts';
import { type Hub, VERSION } from '../hub/hub.ts';
import type { Project } from '../hub/projects.ts';
import type { Attachment } from '../hub/sessions.ts';
import { Connection } from '../tools/connection.ts';
import { TOOLSETS } from '../tools/tool.ts';

/** An agent that acts in this process, and its end. */
export type Acting = { caller: Caller; connection: Connection; leave(): Promise<void> };

export function addAsAgent(command: Command): Command {
  const option = new Option('--as-agent <name>', 'act as this agent, not as the operator (below)').helpGroup('Who acts:');
  return command.addOption(option).addHelpText(
    'after',
    `
As an agent: the name is not what makes you it. It needs the agent’s own token in ROOKERY_TOKEN (rookery token create --agent NAME);
or, in a terminal of your own, the hub’s folder, which is yours alone. Run by an agent’s client it can only be that agent.`,
  );
}

/** Errors: `forbidden` or `unauthorized` without a credential of that agent, `not_found` for a name that nobody has. */
export async function actAs(hub: Hub, config: Config, name: string): Promise<Acting> {
  if (config.token !== undefined) return await byToken(hub, config.token, name);
  const { project } = config.place;
  const above = await hub.lineage.callerAbove(project.id, config.commandKey);
  const isAgents = above !== undefined || config.agentMark !== undefined || (await hub.lineage.agentAbove()) !== undefined;
  if (isAgents && above?.name !== name) {
    throw new HubError(
      'forbidden',
      `This command runs inside the client of ${above?.name ?? 'an agent'} and cannot act as ${name.slice(0, 40)}.`,
      {
        hint: 'Leave --as-agent to that agent, or give its token in ROOKERY_TOKEN.',
      },
    );
  }
  if (above !== undefined) return borrowed(hub, above, attachmentOf(project, name));
  await assertKnown(hub, config, name);
  return await entered(hub, attachmentOf(project, name));
}

async function byToken(hub: Hub, token: string, name: string): Promise<Acting> {
  const bearer = await hub.tokens.authenticate(token);
  if (bearer.name !== name) {
    throw new HubError('forbidden', `The token in ROOKERY_TOKEN is ${bearer.name}’s, not ${name.slice(0, 40)}’s.`, {
      hint:
        bearer.name === OPERATOR ? 'Without --as-agent you act as the operator.' : `Use --as-agent ${bearer.name}, or that agent’s token.`,
    });
  }
  const project = (await hub.projects.list()).find(({ id }) => id === bearer.projectId);
  if (project === undefined)
    throw new HubError('not_found', 'The project of this token is gone.', { hint: 'Ask the operator for a new token.' });
  return await entered(hub, { ...attachmentOf(project, name), role: bearer.role });
}

/** In the live session of the agent, or in one for this command. */
async function entered(hub: Hub, attachment: Attachment & { name: string }): Promise<Acting> {
  const live = await hub.sessions.live(attachment.project.id, attachment.name);
  if (live !== undefined) return borrowed(hub, live, attachment);
  const caller = await hub.sessions.attach(attachment);
  return { ...borrowed(hub, caller, attachment), leave: () => hub.sessions.end(caller, 'closed') };
}

function borrowed(hub: Hub, caller: Caller, attachment: Attachment): Acting {
  return { caller, connection: Connection.borrowing(hub, caller, attachment, TOOLSETS), leave: async () => {} };
}

function attachmentOf({ id, name, root }: Project, agent: string): Attachment & { name: string } {
  return { project: { id, name, root }, door: 'cli', client: { name: 'rookery-cli', version: VERSION }, root, name: agent };
}

/** A mistyped name makes nobody. */
async function assertKnown(hub: Hub, config: Config, name: string): Promise<void> {
  const operator = await hub.projects.operator(config.place.project, 'cli');
  const { view } = await hub.overview.inspect(operator, name);
  if (view.agent.role !== OPERATOR) return;
  throw new HubError('invalid_input', 'The operator is no agent.', { hint: 'Without --as-agent you act as the operator.' });
}
