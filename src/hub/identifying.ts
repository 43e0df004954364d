// Which agent an attachment is: by its enrolment, by the name that it was given, by its client's own session, or a new one.

import { type AgentRow, findAgent, findAgentByName, findBinding } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { freshName } from './names.ts';
import { assertNotReserved, isEnrolled, redeemed } from './redeeming.ts';
import { registerAgent } from './registering.ts';
import type { Attachment } from './sessions.ts';

/** The agent of this attachment, registered if it is new. Errors: those of an enrolment; `forbidden` for a name that waits for another's. */
export async function identified(context: HubContext, act: Act, attachment: Attachment): Promise<AgentRow> {
  if (attachment.enrol !== undefined) return await redeemed(act, context.host, attachment, attachment.enrol);
  return (await known(act, attachment)) ?? (await registered(context, act, attachment));
}

/** Whether a client that attaches like this is somebody already: by a name it was given, or by its own session that was bound before. */
export async function isKnown(context: HubContext, read: Read, attachment: Attachment): Promise<boolean> {
  if (attachment.enrol !== undefined) return await isEnrolled(read, context.host, attachment, attachment.enrol);
  if (attachment.name !== undefined) return true;
  const { key } = attachment.client;
  return key !== undefined && (await findBinding(read, attachment.project.id, key)) !== undefined;
}

async function known(act: Act, { name, client }: Attachment): Promise<AgentRow | undefined> {
  if (name !== undefined) {
    const named = await findAgentByName(act.tx, act.projectId, name);
    if (named !== undefined) await assertNotReserved(act.tx, named, act.now);
    return named;
  }
  const bound = client.key === undefined ? undefined : await findBinding(act.tx, act.projectId, client.key);
  return bound === undefined ? undefined : await findAgent(act.tx, bound);
}

async function registered({ ids }: HubContext, act: Act, { name: given, role, client }: Attachment): Promise<AgentRow> {
  const taken = async (name: string) => (await findAgentByName(act.tx, act.projectId, name)) !== undefined;
  const name = given ?? (await freshName(ids, client.name, taken));
  const nameSource = given === undefined ? 'generated' : 'given';
  return await registerAgent(act, ids, { name, nameSource, role: role ?? 'agent', client: client.name });
}
