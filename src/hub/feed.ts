// The event feed: any reader resumes from any seq and gets exactly what it missed, in order. It shows who did what to what, never a body.

import { type EventRow, eventsAbout, eventsAfter } from '../store/events.ts';
import { findProject } from '../store/projects.ts';
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

const PAGE = 200;

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
