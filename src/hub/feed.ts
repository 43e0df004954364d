// The event feed: any reader resumes from any seq and gets exactly what it missed, in order. It shows who did what to what, never a body.

import { findAgentByName } from '../store/agents.ts';
import { type EventRow, eventsAbout, eventsAfter, eventsBefore } from '../store/events.ts';
import { findProject } from '../store/projects.ts';
import { namesOf } from '../store/task-lists.ts';
import { assertOversees, type Caller } from './caller.ts';
import { toIso } from './clock.ts';
import type { HubContext } from './context.ts';

export type FeedEvent = {
  seq: number;
  at: string;
  type: string;
  actor: string;
  subject: string;
  data: Record<string, unknown>;
};

/** The same with the name of whoever did it. */
export type NamedEvent = FeedEvent & { actorName: string };

const PAGE = 200;
/** A search for rare events looks at so many at once, and says where to go on. */
const LOOKED_AT = 20_000;

export class Feed {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** The seq of the newest event. */
  async head(caller: Caller): Promise<number> {
    assertOversees(caller, 'read the event feed');
    return await this.#context.commands.look(caller, async (read) => (await findProject(read, caller.projectId))?.eventSeq ?? 0);
  }

  /** Events after `seq`, oldest first, one page. */
  async after(caller: Caller, seq: number): Promise<FeedEvent[]> {
    assertOversees(caller, 'read the event feed');
    return await this.#context.commands.look(caller, async (read) =>
      (await eventsAfter(read, caller.projectId, seq, PAGE)).map(toFeedEvent),
    );
  }

  /** The events about one thing, oldest first. */
  async about(caller: Caller, subject: string): Promise<FeedEvent[]> {
    assertOversees(caller, 'read the event feed');
    return await this.#context.commands.look(caller, async (read) =>
      (await eventsAbout(read, caller.projectId, subject, PAGE)).map(toFeedEvent),
    );
  }

  /**
   * Events before `before` (or the newest), newest first, at most `limit`. `next`: where to go on, or null at the beginning of time.
   * `actor` is a name; one that nobody has matches nothing.
   */
  async page(
    caller: Caller,
    wanted: {
      before?: number | undefined;
      kinds: readonly string[];
      actor?: string | undefined;
      subject?: string | undefined;
      limit: number;
    },
  ): Promise<{ events: NamedEvent[]; next: number | null }> {
    assertOversees(caller, 'read the event feed');
    return await this.#context.commands.look(caller, async (read) => {
      const actorId = wanted.actor === undefined ? null : ((await findAgentByName(read, caller.projectId, wanted.actor))?.id ?? '');
      const head = (await findProject(read, caller.projectId))?.eventSeq ?? 0;
      const before = Math.min(wanted.before ?? Number.MAX_SAFE_INTEGER, head + 1);
      const floor = Math.max(0, before - 1 - LOOKED_AT);
      const filter = { kinds: wanted.kinds, actorId, subject: wanted.subject ?? null };
      const rows = await eventsBefore(read, caller.projectId, { before, floor, limit: wanted.limit }, filter);
      const names = await namesOf(
        read,
        rows.map(({ actorId: id }) => id),
      );
      const full = rows.length === wanted.limit;
      const last = full ? (rows.at(-1)?.seq ?? 0) - 1 : floor;
      const events = rows.map((row) => ({ ...toFeedEvent(row), actorName: names.get(row.actorId) ?? row.actorId }));
      return { events, next: last > 0 ? last + 1 : null };
    });
  }

  /** Follows the feed from `seq` until the signal aborts or the hub closes. */
  async *follow(caller: Caller, seq: number, signal: AbortSignal): AsyncGenerator<FeedEvent[]> {
    let cursor = seq;
    while (!signal.aborted) {
      const { end, value } = await this.#context.waiting.until(this.#context.limits.waitMs, signal, async () => {
        const page = await this.after(caller, cursor);
        return page.length > 0 ? { found: page } : {};
      });
      if (end === 'cancelled' || end === 'shutting_down') return;
      cursor = value?.at(-1)?.seq ?? cursor;
      yield value ?? [];
    }
  }
}

function toFeedEvent(event: EventRow): FeedEvent {
  return {
    seq: event.seq,
    at: toIso(event.at),
    type: event.type,
    actor: event.actorId,
    subject: event.subject,
    data: JSON.parse(event.data) as Record<string, unknown>,
  };
}
