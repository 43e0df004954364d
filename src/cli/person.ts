// What only a person may do at the command line: decide approvals, hand out credentials. An agent that runs commands is told apart by the mark
// that its client leaves in the environment and by the processes above; it then has to leave the act to the person.

import type { Config } from '../config.ts';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';

/** Errors: `forbidden` inside the client of an agent. Without a hub only the mark tells. */
export async function assertPerson(hub: Hub | undefined, config: Config): Promise<void> {
  const agent = await hub?.lineage.agentAbove();
  if (agent === undefined && config.agentMark === undefined) return;
  const whose = agent === undefined ? `an agent (${config.agentMark} is set)` : `the agent ${agent.name}`;
  throw new HubError('forbidden', `This command runs inside the client of ${whose}; only a person may do this. Nothing was changed.`, {
    hint: 'The person runs it in a terminal of their own.',
  });
}
