// Whether this hub can do its work: it commits writes, and its timed duties do not fail. Proven by a real write, at most every few seconds,
// never by configuration. Invariant: asking is cheap and bounded; a hanging database answers "not ready" instead of hanging the question.

import { counted } from '../hub/counted.ts';
import type { Hub } from '../hub/hub.ts';

/** How old the last committed probe may be. */
const FRESH_MS = 5_000;
/** How long one question waits for a probe. */
const PROBE_WAIT_MS = 2_000;

export type FailingDuty = { duty: string; failures: number; lastError: string };

export class Readiness {
  readonly #hub: Hub;
  readonly #failing: () => FailingDuty[];
  #committedAt = Number.NEGATIVE_INFINITY;
  #probe: Promise<void> | undefined;

  constructor(hub: Hub, failing: () => FailingDuty[]) {
    this.#hub = hub;
    this.#failing = failing;
  }

  /** The reasons why not; empty when ready. For a bearer's eyes only. */
  async problems(): Promise<string[]> {
    const { clock, db } = this.#hub.context;
    const fresh = () => clock.monotonic() - this.#committedAt <= FRESH_MS;
    if (!fresh()) {
      this.#probe ??= this.#commit().finally(() => {
        this.#probe = undefined;
      });
      await this.#within(this.#probe, undefined);
    }
    // A database that is away is one reason; what fails for want of it is no other.
    if (!fresh()) return ['No write was committed within the last 5 seconds.', ...db.notices()];
    const unread = ['The database cannot be read.'];
    return [
      ...(await this.#within(
        this.#hub.dutyNotices().catch(() => unread),
        unread,
      )),
      ...this.#failing().map(({ duty, failures }) => `The timed duty "${duty}" has failed ${counted(failures, 'time')}.`),
    ];
  }

  /** The outcome, or `otherwise` when it takes too long. */
  async #within<T>(work: Promise<T>, otherwise: T): Promise<T> {
    const enough = new AbortController();
    const late = this.#hub.context.clock.sleep(PROBE_WAIT_MS, enough.signal).then(() => otherwise);
    const result = await Promise.race([work, late]);
    enough.abort();
    return result;
  }

  async #commit(): Promise<void> {
    try {
      await this.#hub.probe();
      this.#committedAt = this.#hub.context.clock.monotonic();
    } catch {
      // The answer is that there is no fresh commit.
    }
  }
}
