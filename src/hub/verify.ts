// Proof that nothing was altered: walks the event chain of every project, holds every message's words and header against its event,
// and counts messages and deliveries against those that were accepted and not swept (I5, I12). What a sweep took, its event in the chain says;
// where the chain begins later than the project, an event says from where. What the database engine can check of itself is the engine's business.

import { UnreadableRow } from '../store/columns.ts';
import type { Db, Row } from '../store/db.ts';
import { countByState, countUpTo, type DeliveryState } from '../store/deliveries.ts';
import { type EventRow, eventsAboutAfter, eventsAfter } from '../store/events.ts';
import { type MessageRow, messagesBetween, toMessage } from '../store/messages.ts';
import { findProject, listProjects, type ProjectRow } from '../store/projects.ts';
import { type Account, accountOf, toFields } from './event-accounts.ts';
import { eventHash, GENESIS, messageDigest } from './events.ts';
import { RETENTION } from './sweep-batches.ts';
import { type Range, RangeSet } from './swept-ranges.ts';

export type Verified = {
  project: string;
  name: string;
  events: number;
  messages: number;
  deliveries: Record<DeliveryState, number>;
  /** What retention took: messages that sweeps say they took, and events before the first that is kept. */
  swept: { messages: number; events: number };
  /** The hash of the newest event: kept elsewhere, it also proves that the tail was not cut. */
  head: string;
  problems: string[];
};

const PAGE = 500;
const PROBLEMS_SHOWN = 20;
const TRIES = 5;

/** What verification needs: something to read from, be it a live hub or a copy of its file. */
export type Readable = { db: Pick<Db, 'read'> };

/** Verifies every project. `progress` is told how many rows were read. */
export async function verifyProjects(context: Readable, progress: (rows: number) => void = () => {}): Promise<Verified[]> {
  const projects = await context.db.read(listProjects);
  const verified: Verified[] = [];
  for (const project of projects) {
    let found = await verifyProject(context, project, progress);
    let read: ProjectRow | undefined = project;
    // The hub may sweep while it is read: what looks like a loss then is looked at again.
    for (let again = 0; again < TRIES && found.problems.length > 0 && read !== undefined && (await sweptSince(context, read)); again++) {
      read = await context.db.read((look) => findProject(look, project.id));
      if (read !== undefined) found = await verifyProject(context, read, () => {});
    }
    if (read !== undefined) verified.push(found);
  }
  return verified;
}

async function verifyProject(context: Readable, project: ProjectRow, progress: (rows: number) => void): Promise<Verified> {
  const { base } = project;
  const swept = await sweptMessages(context, project);
  const walk: Walk = {
    seq: base.seq,
    hash: base.seq === 0 ? GENESIS : base.hash,
    messages: 0,
    sweptMessages: 0,
    owed: { messages: base.messages, deliveries: base.deliveries },
    swept,
    base: base.seq === 0 ? 'known' : 'unknown',
    problems: [],
  };
  await compareOldWords(context, project, walk);
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
    for (const event of events) {
      followChain(walk, event);
      findBase(walk, project, event);
    }
    compareWords(walk, events, rows);
    progress(events.length + rows.length);
  }
  if (walk.seq === project.eventSeq && walk.hash !== project.eventHash)
    walk.problems.push('the newest event is not the one that the project names as its head');
  if (walk.base === 'unknown') walk.problems.push(`events up to ${base.seq} are missing, and none says that they were forgotten`);
  const { deliveries, present } = await context.db.read(async (read) => ({
    deliveries: await countByState(read, project.id),
    present: await countUpTo(read, project.id, project.eventSeq),
  }));
  const { owed } = walk;
  if (present !== owed.deliveries)
    walk.problems.push(`${owed.deliveries} deliveries were accepted${andNotSwept(swept)}, ${present} are there`);
  if (walk.messages !== owed.messages)
    walk.problems.push(`${owed.messages} messages were accepted${andNotSwept(swept)}, ${walk.messages} are there`);
  return {
    project: project.id,
    name: project.name,
    events: walk.seq - base.seq,
    messages: walk.messages,
    deliveries,
    swept: { messages: walk.sweptMessages, events: base.seq },
    head: walk.hash,
    problems: walk.problems.slice(0, PROBLEMS_SHOWN),
  };
}

type Walk = {
  seq: number;
  hash: string;
  messages: number;
  sweptMessages: number;
  /** How many messages and deliveries the events say must be there. */
  owed: Pick<Account, 'messages' | 'deliveries'>;
  swept: RangeSet;
  /** Whether an event was met that says where the history begins. */
  base: 'known' | 'unknown';
  problems: string[];
};

/** What sweeps say they took, read ahead of the walk, which proves that nobody altered it. */
async function sweptMessages(context: Readable, project: ProjectRow): Promise<RangeSet> {
  const ranges: Range[] = [];
  for (let seq = project.base.seq; ; ) {
    const from = seq;
    const page = await context.db.read((read) => eventsAboutAfter(read, project.id, RETENTION, from, PAGE));
    for (const event of page) ranges.push(...accountOf(event).swept);
    const last = page.at(-1);
    if (last === undefined) return new RangeSet(ranges);
    seq = last.seq;
  }
}

/** Whether a sweep took something after the project was read like this. */
async function sweptSince({ db }: Readable, { id, eventSeq }: ProjectRow): Promise<boolean> {
  return await db.read(async (read) => (await eventsAboutAfter(read, id, RETENTION, eventSeq, 1)).length > 0);
}

function andNotSwept(swept: RangeSet): string {
  return swept.empty ? '' : ' and not swept';
}

/** Messages older than the history: their events are forgotten, so only their own digest holds their words. */
async function compareOldWords(context: Readable, project: ProjectRow, walk: Walk): Promise<void> {
  for (let seq = 0; seq < project.base.seq; ) {
    const from = seq;
    const rows = await context.db.read((read) => messagesBetween(read, project.id, from, project.base.seq, PAGE));
    for (const row of rows) {
      walk.messages += 1;
      seq = Number(row.seq);
      try {
        const message = toMessage(row);
        if (messageDigest(message) !== message.digest) walk.problems.push(`the words of message ${message.id} (seq ${seq}) were altered`);
        if (walk.swept.has(seq)) walk.problems.push(`message ${message.id} (seq ${seq}) was swept, and is there`);
      } catch (error) {
        if (!(error instanceof UnreadableRow)) throw error;
        walk.problems.push(`message seq ${seq} is damaged: ${error.message}`);
      }
    }
    if (rows.length < PAGE) return;
  }
}

function findBase(walk: Walk, project: ProjectRow, event: EventRow): void {
  if (event.type !== 'retention.forgotten') return;
  const { through, hash, messages, deliveries } = toFields(event.data);
  const { base } = project;
  if (through === base.seq && hash === base.hash && messages === base.messages && deliveries === base.deliveries) walk.base = 'known';
}

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
  for (const event of events) {
    const account = accountOf(event);
    walk.owed.messages += account.messages;
    walk.owed.deliveries += account.deliveries;
  }
  for (const row of rows) {
    const seq = Number(row.seq);
    const event = accepted.get(seq);
    walk.messages += 1;
    try {
      const message = toMessage(row);
      if (event === undefined || messageDigest(message) !== message.digest || toFields(event.data).digest !== message.digest)
        walk.problems.push(`the words of message ${message.id} (seq ${seq}) were altered`);
      else if (walk.swept.has(seq)) walk.problems.push(`message ${message.id} (seq ${seq}) was swept, and is there`);
      else if (!isHeaderOf(message, event)) walk.problems.push(`the header of message ${message.id} (seq ${seq}) was altered`);
    } catch (error) {
      if (!(error instanceof UnreadableRow)) throw error;
      walk.problems.push(`message seq ${seq} is damaged: ${error.message}`);
    }
    accepted.delete(seq);
  }
  for (const seq of accepted.keys()) {
    if (walk.swept.has(seq)) walk.sweptMessages += 1;
    else walk.problems.push(`the message accepted with seq ${seq} is missing`);
  }
}

/** Whether id, sender, thread, kind, address and urgency are those of the event. What the hub says may be said in another’s call. */
function isHeaderOf(message: MessageRow, event: EventRow): boolean {
  const { sender_id, thread_id, kind, address, urgent, ref } = toFields(event.data);
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
