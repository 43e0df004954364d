// How fast one agent may write what others read (messages, asks, tasks, documents, approvals): a token bucket for bursts and one for the minute
// (C18). Kept in memory: an agent has one live session, which has one process.

import { authorityOf, type Caller } from './caller.ts';
import type { Clock } from './clock.ts';
import { HubError } from './errors.ts';
import type { Limits } from './limits.ts';

type Bucket = { level: number; at: number };

export class SendRates {
  readonly #clock: Clock;
  readonly #limitsOf: (caller: Caller) => Limits;
  readonly #short = new Map<string, Bucket>();
  readonly #long = new Map<string, Bucket>();

  constructor(clock: Clock, limitsOf: (caller: Caller) => Limits) {
    this.#clock = clock;
    this.#limitsOf = limitsOf;
  }

  /** Takes one such call of this caller, or throws `rate_limited` with the time after which to retry. The operator and the hub are not limited. */
  take(caller: Caller): void {
    const authority = authorityOf(caller.role);
    if (authority === 'operator' || authority === 'hub') return;
    const { agentId } = caller;
    const { sendPerSecond, sendBurst, sendPerMinute } = this.#limitsOf(caller);
    const short = this.#fill(this.#short, agentId, sendPerSecond / 1000, sendBurst);
    const long = this.#fill(this.#long, agentId, sendPerMinute / 60_000, sendPerMinute);
    const waitMs = Math.ceil(Math.max((1 - short.level) / (sendPerSecond / 1000), (1 - long.level) / (sendPerMinute / 60_000)));
    if (waitMs > 0) {
      throw new HubError(
        'rate_limited',
        `You may write ${sendPerSecond} messages, tasks and the like a second (${sendBurst} at once) and ${sendPerMinute} a minute; nothing was changed.`,
        {
          hint: 'Put several points into one call, or retry after the stated time.',
          retryAfterMs: waitMs,
        },
      );
    }
    short.level -= 1;
    long.level -= 1;
  }

  #fill(buckets: Map<string, Bucket>, agentId: string, perMs: number, capacity: number): Bucket {
    const now = this.#clock.monotonic();
    const bucket = buckets.get(agentId) ?? { level: capacity, at: now };
    bucket.level = Math.min(capacity, bucket.level + (now - bucket.at) * perMs);
    bucket.at = now;
    buckets.set(agentId, bucket);
    return bucket;
  }
}
