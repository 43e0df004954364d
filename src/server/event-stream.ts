// GET /events: the event feed as server-sent events, for managers and the operator. The id of an event is its seq, so a reader that lost its
// connection resumes exactly where it was, by Last-Event-ID or ?after=. Invariant: no more than the limit is buffered for a reader that does
// not read; it is cut off and resumes by its cursor, because the events themselves are in the database.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../hub/caller.ts';
import { HubError } from '../hub/errors.ts';
import type { FeedEvent } from '../hub/feed.ts';
import type { Hub } from '../hub/hub.ts';
import type { Telemetry } from '../hub/telemetry.ts';
import { whenClosed } from './replies.ts';

/** Streams of this process since it started. `resumed`: opened with a cursor; `cutOff`: their readers did not read. */
export class StreamCounts {
  open = 0;
  opened = 0;
  resumed = 0;
  cutOff = 0;
  events = 0;
  readonly #telemetry: Telemetry;
  readonly #responses = new Set<ServerResponse>();

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
    telemetry.gauge('hub.event_streams', () => this.open);
    telemetry.gauge('hub.event_stream.buffered', () => [...this.#responses].reduce((sum, response) => sum + response.writableLength, 0));
  }

  enter(response: ServerResponse, isResumed: boolean): void {
    this.open += 1;
    this.opened += 1;
    if (isResumed) this.resumed += 1;
    this.#telemetry.count('hub.event_stream.opened', 1, { resumed: isResumed });
    this.#responses.add(response);
    whenClosed(response, () => {
      this.open -= 1;
      this.#responses.delete(response);
    });
  }

  wrote(events: number): void {
    this.events += events;
    this.#telemetry.count('hub.event_stream.sent', events);
  }

  cut(): void {
    this.cutOff += 1;
    this.#telemetry.count('hub.event_stream.drops');
  }
}

export type StreamParts = {
  hub: Hub;
  counts: StreamCounts;
  caller: Caller;
  /** Throws when the credential of this stream is no longer valid. Asked before every page. */
  recheck: () => Promise<unknown>;
};

/** Streams until the client goes, the hub closes, or the credential ends. Without a cursor it begins with what happens from now on. */
export async function streamEvents(request: IncomingMessage, response: ServerResponse, parts: StreamParts): Promise<void> {
  const { hub, caller, counts, recheck } = parts;
  const head = await hub.feed.head(caller);
  const cursor = cursorOf(request);
  const after = cursor ?? head;
  const gone = new AbortController();
  counts.enter(response, cursor !== undefined);
  whenClosed(response, () => gone.abort());
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'X-Accel-Buffering': 'no',
    // A reader that comes back learns whether the hub was started anew, or its history is shorter than it knew (a restored backup).
    'Rookery-Head': String(head),
    'Rookery-Boot': hub.bootId,
  });
  response.write(`retry: 1000\n: ${head - after} behind\n\n`);
  for await (const page of hub.feed.follow(caller, after, gone.signal)) {
    await recheck();
    counts.wrote(page.length);
    for (const frame of page.length === 0 ? [': still here\n\n'] : page.map(toFrame)) {
      response.write(frame);
      if (response.writableLength <= hub.limits.sseBufferBytes || (await drained(response, hub, gone.signal))) continue;
      if (!gone.signal.aborted) counts.cut();
      response.destroy();
      return;
    }
  }
  response.end();
}

function toFrame(event: FeedEvent): string {
  return `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Where the reader was: the header of a reconnecting reader counts more than the address it first asked for. */
function cursorOf(request: IncomingMessage): number | undefined {
  const given = request.headersDistinct['last-event-id']?.[0] ?? new URL(request.url ?? '/', 'http://hub').searchParams.get('after');
  if (given === null || given === '') return undefined;
  if (!/^\d{1,15}$/.test(given)) {
    throw new HubError('invalid_input', 'after: the seq of the last event you have seen, a whole number.', { hint: 'GET /events?after=0' });
  }
  return Number(given);
}

/** Waits for the reader to take everything; false when it takes nothing for as long as makes a session silent. */
async function drained(response: ServerResponse, hub: Hub, gone: AbortSignal): Promise<boolean> {
  const stop = new AbortController();
  const wake = () => stop.abort();
  response.once('drain', wake);
  gone.addEventListener('abort', wake, { once: true });
  await hub.context.clock.sleep(hub.limits.silentAfterMs, stop.signal);
  response.off('drain', wake);
  gone.removeEventListener('abort', wake);
  return stop.signal.aborted && !gone.aborted;
}
