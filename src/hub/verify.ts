// Proof that nothing was altered: walks the event chain of every project, holds every message's words and header against its event,
// and counts deliveries against those that were accepted (I5, I12). What the database engine can check of itself is the engine's business.

import { UnreadableRow } from '../store/columns.ts';
import type { Db, Row } from '../store/db.ts';
import { countByState, countUpTo, type DeliveryState } from '../store/deliveries.ts';
import { type EventRow, eventsAfter } from '../store/events.ts';
import { type MessageRow, messagesBetween, toMessage } from '../store/messages.ts';
import { listProjects, type ProjectRow } from '../store/projects.ts';
import { eventHash, GENESIS, messageDigest } from './events.ts';

export type Verified = {
  project: string;
  name: string;
  events: number;
  messages: number;
  deliveries: Record<DeliveryState, number>;
  /** The hash of the newest event: kept elsewhere, it also proves that the tail was not cut. */
  head: string;
  problems: string[];
};

const PAGE = 500;
const PROBLEMS_SHOWN = 20;

/** What verification needs: something to read from, be it a live hub or a copy of its file. */
export type Readable = { db: Pick<Db, 'read'> };

/** Verifies every project. `progress` is told how many rows were read. */
export async function verifyProjects(context: Readable, progress: (rows: number) => void = () => {}): Promise<Verified[]> {
  const projects = await context.db.read(listProjects);
  const verified: Verified[] = [];
  for (const project of projects) verified.push(await verifyProject(context, project, progress));
  return verified;
}

async function verifyProject(context: Readable, project: ProjectRow, progress: (rows: number) => void): Promise<Verified> {
  const walk: Walk = { seq: 0, hash: GENESIS, messages: 0, accepted: 0, problems: [] };
  // Only up to the head as it was read first: the hub may go on writing meanwhile.
  while (walk.seq < project.eventSeq) {
    const from = walk.seq;
    const { events, rows } = await context.db.read(async (read) => {
      const page = (await eventsAfter(read, project.id, from, PAGE)).filter((event) => event.seq <= project.eventSeq);
      return { events: page, rows: await messagesBetween(read, project.id, from, page.at(-1)?.seq ?? from) };
    });
    if (events.length === 0) {
      walk.problems.push(`events ${walk.seq + 1} to ${project.eventSeq} are missing`);
      break;
    }
    for (const event of events) followChain(walk, event);
    compareWords(walk, events, rows);
    progress(events.length + rows.length);
  }
  if (walk.seq === project.eventSeq && walk.hash !== project.eventHash)
    walk.problems.push('the newest event is not the one that the project names as its head');
  const { deliveries, present } = await context.db.read(async (read) => ({
    deliveries: await countByState(read, project.id),
    present: await countUpTo(read, project.id, project.eventSeq),
  }));
  if (present !== walk.accepted) walk.problems.push(`${walk.accepted} deliveries were accepted, ${present} are there`);
  return {
    project: project.id,
    name: project.name,
    events: walk.seq,
    messages: walk.messages,
    deliveries,
    head: walk.hash,
    problems: walk.problems.slice(0, PROBLEMS_SHOWN),
  };
}

/** `accepted`: for how many recipients the events say that a message was accepted. */
type Walk = { seq: number; hash: string; messages: number; accepted: number; problems: string[] };

function followChain(walk: Walk, event: EventRow): void {
  if (event.seq !== walk.seq + 1) walk.problems.push(`events ${walk.seq + 1} to ${event.seq - 1} are missing`);
  if (eventHash(walk.hash, event) !== event.hash)
    walk.problems.push(`event ${event.seq} (${event.type}) was altered, or its predecessor was`);
  walk.seq = event.seq;
  walk.hash = event.hash;
}

/** A message carries the seq of its event, whose hash covers the digest of the words and the header. */
function compareWords(walk: Walk, events: readonly EventRow[], rows: readonly Row[]): void {
  const accepted = new Map(events.filter((event) => event.type === 'message.sent').map((event) => [event.seq, event]));
  for (const event of accepted.values()) walk.accepted += recipientsIn(event.data);
  for (const row of rows) {
    const seq = Number(row.seq);
    const event = accepted.get(seq);
    walk.messages += 1;
    try {
      const message = toMessage(row);
      if (event === undefined || messageDigest(message) !== message.digest || parse(event.data).digest !== message.digest)
        walk.problems.push(`the words of message ${message.id} (seq ${seq}) were altered`);
      else if (!isHeaderOf(message, event)) walk.problems.push(`the header of message ${message.id} (seq ${seq}) was altered`);
    } catch (error) {
      if (!(error instanceof UnreadableRow)) throw error;
      walk.problems.push(`message seq ${seq} is damaged: ${error.message}`);
    }
    accepted.delete(seq);
  }
  for (const seq of accepted.keys()) walk.problems.push(`the message accepted with seq ${seq} is missing`);
}

/** Whether id, sender, thread, kind, address and urgency are those of the event. What the hub says may be said in another’s call. */
function isHeaderOf(message: MessageRow, event: EventRow): boolean {
  const { sender_id, thread_id, kind, address, urgent, ref } = parse(event.data);
  return (
    event.subject === message.id &&
    sender_id === message.senderId &&
    ref === message.ref &&
    thread_id === message.threadId &&
    kind === message.kind &&
    address === message.address &&
    urgent === message.urgent
  );
}

function recipientsIn(data: string): number {
  const { to } = parse(data);
  return Array.isArray(to) ? to.length : 0;
}

function parse(data: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(data);
    return parsed !== null && typeof parsed === 'object' ? { ...parsed } : {};
  } catch {
    return {};
  }
}
