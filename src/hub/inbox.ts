// The inbox: what an agent is told. Shown at least once, acknowledged exactly once (C4).
//
//   ready -> leased -> acked | dead | expired | recalled
//
// Showing a batch leases it under a fresh receipt; only an echo of the receipt (or of ids, or a reply) acknowledges. Until then every
// receive shows it again first, attempt + 1. Time, disconnects and written responses acknowledge nothing.

import { findAgentByName } from '../store/agents.ts';
import { toInt, UnreadableRow } from '../store/columns.ts';
import type { Read, Row } from '../store/db.ts';
import { lease, toDelivery } from '../store/deliveries.ts';
import {
  type InboxCounts,
  type InboxFilter,
  inboxCounts,
  inboxPeek,
  inboxRows,
  inboxWaiting,
  leasedRows,
  markSkipTold,
  type SkippedRow,
  untoldSkips,
} from '../store/inbox.ts';
import { markShown } from '../store/sessions.ts';
import { Acknowledging, type AckRequest, type AckResult } from './acknowledging.ts';
import type { Caller } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { type Deliveries, isExpired } from './deliveries.ts';
import { HubError } from './errors.ts';
import { traceShown } from './message-traces.ts';
import { takeFromPool } from './pool.ts';
import type { Sessions } from './sessions.ts';
import { type Shown, shownBytes, toShown } from './shown.ts';
import type { WaitEnd } from './waiting.ts';
import { proveWake } from './wake-proof.ts';

export type ReceiveRequest = {
  max: number;
  maxBytes: number;
  waitMs: number;
  ack?: string | undefined;
  peek: boolean;
  from?: string | undefined;
  threadId?: string | undefined;
};

export type Batch = {
  messages: Shown[];
  receipt: string | null;
  /** Messages that wait beyond this batch. */
  remaining: number;
  skipped: SkippedRow[];
  acked: number;
  /** Why an empty batch ended: nothing there, the wait ran out, cancelled, or the hub closes. */
  end: WaitEnd;
  replayed?: boolean;
};

type Rendered = Pick<Batch, 'messages' | 'remaining'>;

/** How many closed messages one batch explains. */
const SKIPS_SHOWN = 20;

export class Inbox {
  readonly #context: HubContext;
  readonly #deliveries: Deliveries;
  readonly #sessions: Sessions;
  readonly #acks: Acknowledging;

  constructor(context: HubContext, deliveries: Deliveries, sessions: Sessions) {
    this.#context = context;
    this.#deliveries = deliveries;
    this.#sessions = sessions;
    this.#acks = new Acknowledging(context);
  }

  /**
   * Shows what waits, leasing it under a fresh receipt; waits up to `waitMs` when there is nothing. With `peek`, shows without leasing.
   * A waiting call leases only when it is about to answer, and not at all once `signal` says that the client has gone.
   */
  async receive(caller: Caller, request: ReceiveRequest, intent: Intent, signal?: AbortSignal): Promise<Batch> {
    const filter = await this.#filter(caller, request);
    if (request.max === 0 || request.peek) return await this.#peek(caller, request, filter);
    const first = request.ack !== undefined || intent.key !== undefined || (await this.#anything(caller, filter, true)).any;
    if (first) {
      const batch = await this.#lease(caller, request, filter, intent);
      if (batch.messages.length > 0 || batch.replayed === true || request.waitMs <= 0) return batch;
      return await this.#await(caller, { ...request, ack: undefined }, filter, intent, signal, batch);
    }
    return request.waitMs <= 0 ? empty('found') : await this.#await(caller, request, filter, intent, signal, empty('found'));
  }

  /** Acknowledges or returns what was shown; see acknowledging.ts. */
  acknowledge(caller: Caller, request: AckRequest, intent: Intent): Promise<AckResult & { replayed?: boolean }> {
    return this.#acks.acknowledge(caller, request, intent);
  }

  counts(caller: Caller): Promise<InboxCounts> {
    return this.#context.db.read(async (read) =>
      inboxCounts(read, caller.agentId, await this.#context.commands.now(read, caller.projectId)),
    );
  }

  /** Messages that only thank wake nobody, but whoever asks is shown them (`quietToo`). */
  async #anything(caller: Caller, filter: InboxFilter, quietToo: boolean) {
    return await this.#context.commands.look(caller, (read, now) => inboxPeek(read, caller.agentId, now, filter, quietToo));
  }

  async #peek(caller: Caller, request: ReceiveRequest, filter: InboxFilter): Promise<Batch> {
    const acked =
      request.ack === undefined ? 0 : (await this.acknowledge(caller, { receipt: request.ack, delayMs: 0 }, { tool: 'ack' })).acked.length;
    return await this.#context.commands.look(caller, async (read, now) => {
      const found = request.max === 0 ? [] : await inboxRows(read, caller.agentId, now, request.max, filter);
      const rows = found.filter((row) => row.expires_at === null || toInt(row, 'expires_at') > now);
      const readable = rows.map((row) => this.#read(row, now)).flatMap((shown) => (shown instanceof UnreadableRow ? [] : [shown]));
      const messages = fitting(readable, request.maxBytes);
      return { ...empty('found'), messages, acked, remaining: (await inboxWaiting(read, caller.agentId, now)) - messages.length };
    });
  }

  async #await(
    caller: Caller,
    request: ReceiveRequest,
    filter: InboxFilter,
    intent: Intent,
    signal: AbortSignal | undefined,
    told: Pick<Batch, 'acked' | 'skipped'>,
  ): Promise<Batch> {
    const { waiting, time } = this.#context;
    await this.#sessions.park(caller, time.now() + request.waitMs);
    try {
      const { end, value } = await waiting.until<Batch>(request.waitMs, signal, async () => {
        const seen = await this.#anything(caller, filter, false);
        if (!seen.any) return { again: seen.nextReadyAt === null ? null : seen.nextReadyAt - time.now() };
        if (signal?.aborted) return {};
        const batch = await this.#lease(caller, request, filter, intent, told);
        return batch.messages.length > 0 ? { found: batch } : {};
      });
      return value ?? { ...empty(end), acked: told.acked, skipped: told.skipped };
    } finally {
      // A hub that closes, or whose disk is full, still answers what it has leased; the mark ends with the time it names.
      await this.#sessions.park(caller, null).catch(() => {});
    }
  }

  /** One transaction: acknowledge the echoed receipt, then lease the next batch. A lease carries no promise; an acknowledgement does. */
  async #lease(
    caller: Caller,
    request: ReceiveRequest,
    filter: InboxFilter,
    intent: Intent,
    told: Pick<Batch, 'acked' | 'skipped'> = empty('found'),
  ): Promise<Batch> {
    const durability = request.ack === undefined && intent.key === undefined ? 'relaxed' : 'synced';
    // A call that goes on waiting keeps its key for what it will find.
    const keepKey = (leased: { receipt: string | null }) => leased.receipt !== null || request.waitMs <= 0;
    const { commands, db } = this.#context;
    const shown: { now?: Rendered } = {};
    const { receipt, acked, skipped, replayed } = await commands.run(caller, { ...intent, durability, keepKey }, async (act) => {
      const echoed = request.ack === undefined ? [] : await this.#acks.byReceipt(act, caller, request.ack);
      let count = 0;
      for (const delivery of echoed) if (await this.#acks.one(act, caller, delivery, 'receipt')) count += 1;
      const leased = {
        receipt: await this.#leaseBatch(act, caller, request, filter),
        acked: told.acked + count,
        skipped: [...told.skipped, ...(await tellSkips(act, caller))],
      };
      shown.now = await this.#render(act.tx, caller, leased.receipt, act.now);
      return leased;
    });
    // Rendered from the receipt alone, so that a repeated key shows the same batch again.
    const rendered =
      shown.now ?? (await db.read(async (read) => this.#render(read, caller, receipt, await commands.now(read, caller.projectId))));
    return {
      ...rendered,
      receipt: rendered.messages.length === 0 ? null : receipt,
      skipped,
      acked,
      end: 'found',
      ...(replayed === true ? { replayed } : {}),
    };
  }

  async #render(read: Read, caller: Caller, receipt: string | null, now: number): Promise<Rendered> {
    const rows = receipt === null ? [] : await leasedRows(read, caller.agentId, receipt);
    const messages = rows.map((row) => toShown(row, now, this.#context.limits.inlineBodyBytes));
    return { messages, remaining: (await inboxWaiting(read, caller.agentId, now)) - messages.length };
  }

  /** Leases what fits and answers its receipt, or null when nothing is there. What was all set aside makes room for what is behind it. */
  async #leaseBatch(act: Act, caller: Caller, request: ReceiveRequest, filter: InboxFilter): Promise<string | null> {
    for (;;) {
      const rows = await inboxRows(act.tx, caller.agentId, act.now, request.max, filter);
      const receipt = await this.#leaseRows(act, caller, request, rows);
      if (receipt !== null || rows.length === 0) return receipt;
    }
  }

  /** Damaged, expired and poisonous messages are set aside, not shown. */
  async #leaseRows(act: Act, caller: Caller, request: ReceiveRequest, rows: readonly Row[]): Promise<string | null> {
    const receipt = this.#context.ids.receipt();
    let bytes = 0;
    let count = 0;
    let single = false;
    for (const row of rows) {
      const shown = this.#read(row, act.now);
      if (shown instanceof UnreadableRow) {
        const ids = { messageId: String(row.message_id), recipientId: caller.agentId, senderId: String(row.sender_id) };
        await this.#deliveries.bury(act, ids, `its stored row is damaged: ${shown.message}`);
        continue;
      }
      const delivery = toDelivery(row);
      if (isExpired(delivery, act.now)) {
        await this.#deliveries.expire(act, delivery);
        continue;
      }
      if (this.#deliveries.isPoison(delivery, act.now)) {
        await this.#deliveries.bury(act, delivery, `not acknowledged after ${delivery.attempt} attempts`);
        continue;
      }
      bytes += shownBytes(shown);
      // After two sessions died of a batch, its messages are shown one at a time, so that the others get through.
      if (count > 0 && (bytes > request.maxBytes || single || delivery.crashes >= 2)) break;
      single = delivery.crashes >= 2;
      await lease(act.tx, delivery, receipt, count, caller.sessionId, caller.door, act.now);
      await act.emit('message.shown', delivery.messageId, {
        to: caller.name,
        attempt: delivery.attempt + 1,
        door: caller.door,
      });
      await traceShown(act, delivery);
      if (shown.pool) await takeFromPool(act, caller.name, delivery);
      count += 1;
    }
    if (count === 0) return null;
    if (caller.epoch !== null) await markShown(act.tx, caller.sessionId, act.now);
    await proveWake(act, caller);
    return receipt;
  }

  /** The message as it will be shown, or what is wrong with its stored row. */
  #read(row: Row, now: number): Shown | UnreadableRow {
    try {
      toDelivery(row);
      return toShown(row, now, this.#context.limits.inlineBodyBytes);
    } catch (error) {
      if (error instanceof UnreadableRow) return error;
      throw error;
    }
  }

  async #filter(caller: Caller, request: ReceiveRequest): Promise<InboxFilter> {
    if (request.from === undefined) return { senderId: null, threadId: request.threadId ?? null };
    const name = request.from;
    const sender = await this.#context.db.read((read) => findAgentByName(read, caller.projectId, name));
    if (sender === undefined)
      throw new HubError('not_found', `from: no agent of this project is called "${name.slice(0, 48)}".`, {
        hint: 'list_agents shows who there is.',
      });
    return { senderId: sender.id, threadId: request.threadId ?? null };
  }
}

/** What was closed before this reader saw it, told once: it explains gaps in sender_seq. */
async function tellSkips(act: Act, caller: Caller): Promise<SkippedRow[]> {
  const skipped = await untoldSkips(act.tx, caller.agentId, SKIPS_SHOWN);
  for (const one of skipped) await markSkipTold(act.tx, one.messageId, caller.agentId, act.now);
  return skipped;
}

/** As many as fit into the byte limit, at least one. */
function fitting(messages: Shown[], maxBytes: number): Shown[] {
  let bytes = 0;
  return messages.filter((message, index) => {
    bytes += shownBytes(message);
    return index === 0 || bytes <= maxBytes;
  });
}

function empty(end: WaitEnd): Batch {
  return { messages: [], receipt: null, remaining: 0, skipped: [], acked: 0, end };
}
