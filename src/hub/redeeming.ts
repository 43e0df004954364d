// Redeeming an enrolment: which agent a client becomes by its token, within the transaction in which it attaches. The first to use it is
// enrolled. A used token lets in only who used it: the client's own session that is bound to the agent, or the same program in the same folder of
// the same machine where its configuration also names the agent.

import { createHash } from 'node:crypto';
import { type AgentRow, findAgent, findBinding } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { type EnrolmentRow, findEnrolmentByHash, openEnrolment, useEnrolment } from '../store/enrolments.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import { HubError } from './errors.ts';
import type { Host } from './host.ts';
import type { Attachment } from './sessions.ts';

/** How every enrolment begins, so that it is told from a token. */
export const ENROLMENT = 'enrol_';

export function enrolmentHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** The agent that this attachment's token stands for. Errors: `unauthorized`, `expired`, `forbidden`, `conflict`, each saying what happened. */
export async function redeemed(act: Act, host: Host, attachment: Attachment, token: string): Promise<AgentRow> {
  const { agent, enrolment } = await found(act.tx, attachment, token);
  if (attachment.name !== undefined && attachment.name !== agent.name) {
    throw new HubError('conflict', `This enrolment is for ${agent.name}, the configuration says ${attachment.name}; nobody was enrolled.`, {
      hint: 'Leave --agent and ROOKERY_AGENT out, or ROOKERY_ENROL.',
    });
  }
  if (attachment.role !== undefined && attachment.role !== agent.role) {
    throw new HubError(
      'conflict',
      `This enrolment gives the role ${agent.role}, the configuration ${attachment.role}; nobody was enrolled.`,
      {
        hint: 'Leave --role and ROOKERY_ROLE out.',
      },
    );
  }
  if (await mayReturn(act.tx, host, attachment, enrolment)) return agent;
  assertUsable(enrolment, agent.name, act.now);
  const seat = { clientName: attachment.client.name, host: host.key, root: attachment.root };
  await useEnrolment(act.tx, enrolment.id, act.now, seat);
  await act.emit('agent.enrolled', agent.id, { name: agent.name, enrolment: enrolment.id, client: seat.clientName });
  return agent;
}

/** Whether a client with this token is somebody already, so that it may be there from its start. A token that nobody has used says nothing yet. */
export async function isEnrolled(read: Read, host: Host, attachment: Attachment, token: string): Promise<boolean> {
  const enrolment = await findEnrolmentByHash(read, enrolmentHash(token));
  return enrolment !== undefined && (await mayReturn(read, host, attachment, enrolment));
}

/** A name that waits for its enrolment is nobody else's. Errors: `forbidden`. */
export async function assertNotReserved(read: Read, agent: AgentRow, now: number): Promise<void> {
  const open = await openEnrolment(read, agent.id, now);
  if (open === undefined) return;
  throw new HubError('forbidden', `${agent.name} is kept until ${toIso(open.expiresAt)} for whoever was given its enrolment.`, {
    hint: 'Start that client with ROOKERY_ENROL, or take another name.',
  });
}

/** Throws what happened to an enrolment that nobody can use any more. */
export function assertUsable(enrolment: EnrolmentRow, name: string, now: number): void {
  const again = `Ask whoever gave it for another: rookery agents create ${name}. If you are not to be ${name}, start without ROOKERY_ENROL.`;
  if (enrolment.usedAt !== null) {
    const by = enrolment.seat?.clientName ?? 'a client';
    throw new HubError(
      'conflict',
      `This enrolment was used at ${toIso(enrolment.usedAt)} by ${by} as ${name}; it enrols one client only.`,
      {
        hint: again,
      },
    );
  }
  if (enrolment.revokedAt !== null)
    throw new HubError('conflict', `This enrolment was replaced at ${toIso(enrolment.revokedAt)} by a newer one for ${name}.`, {
      hint: again,
    });
  if (enrolment.expiresAt <= now) throw new HubError('expired', `This enrolment ended at ${toIso(enrolment.expiresAt)}.`, { hint: again });
}

async function found(read: Read, { project }: Attachment, token: string): Promise<{ agent: AgentRow; enrolment: EnrolmentRow }> {
  const enrolment = await findEnrolmentByHash(read, enrolmentHash(token));
  if (enrolment !== undefined && enrolment.projectId !== project.id) {
    throw new HubError('forbidden', `This enrolment is for another project than ${project.name}; nobody was enrolled.`, {
      hint: 'Start the client in the folder of the project it was made in, or name that project by ROOKERY_PROJECT.',
    });
  }
  const agent = enrolment && (await findAgent(read, enrolment.agentId));
  if (enrolment === undefined || agent === undefined) {
    throw new HubError('unauthorized', 'ROOKERY_ENROL holds no enrolment that this hub knows; nobody was enrolled.', {
      hint: 'Ask for one (rookery agents create NAME), or start without ROOKERY_ENROL.',
    });
  }
  return { agent, enrolment };
}

async function mayReturn(
  read: Read,
  host: Host,
  attachment: Attachment,
  { agentId, projectId, usedAt, seat }: EnrolmentRow,
): Promise<boolean> {
  if (usedAt === null || seat === null) return false;
  const { key, name } = attachment.client;
  if (key !== undefined && (await findBinding(read, projectId, key)) === agentId) return true;
  return attachment.name !== undefined && seat.host === host.key && seat.clientName === name && seat.root === attachment.root;
}
