// What an event does to the number of messages and deliveries that must be there: an accepted message adds itself and a delivery for each of its
// recipients, a sweep takes away what it says it took. Summed over the history of a project, it is what the tables must hold (I5).

import type { EventRow } from '../store/events.ts';
import { parseRanges, type Range } from './swept-ranges.ts';

export type Account = { messages: number; deliveries: number; swept: Range[] };

const NOTHING: Account = { messages: 0, deliveries: 0, swept: [] };

export function accountOf(event: EventRow): Account {
  if (event.type === 'message.sent') {
    const { to } = toFields(event.data);
    return { messages: 1, deliveries: Array.isArray(to) ? to.length : 0, swept: [] };
  }
  if (event.type === 'retention.swept') {
    const { rows, seqs } = toFields(event.data);
    const { messages, deliveries } = rows !== null && typeof rows === 'object' ? (rows as Record<string, unknown>) : {};
    return { messages: -toCount(messages), deliveries: -toCount(deliveries), swept: typeof seqs === 'string' ? parseRanges(seqs) : [] };
  }
  return NOTHING;
}

/** The data of an event; nothing where it is damaged, which the chain of hashes tells. */
export function toFields(data: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(data);
    return parsed !== null && typeof parsed === 'object' ? { ...parsed } : {};
  } catch {
    return {};
  }
}

function toCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0;
}
