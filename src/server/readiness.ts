// Whether this hub can do its work: it commits writes, and its timed duties do not fail. Proven by a real write, at most every few seconds,
// never by configuration. Invariant: asking is cheap and bounded; a hanging database answers "not ready" instead of hanging the question.

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
    const { clock } = this.#hub.context;
    const fresh = () => clock.monotonic() - this.#committedAt <= FRESH_MS;
    if (!fresh()) {
      this.#probe ??= this.#commit().finally(() => {
        this.#probe = undefined;
      });
      const enough = new AbortController();
      await Promise.race([this.#probe, clock.sleep(PROBE_WAIT_MS, enough.signal)]);
      enough.abort();
    }
    return [
      ...(fresh() ? [] : ['No write was committed within the last 5 seconds.']),
      ...(await this.#hub.dutyNotices().catch(() => ['The database cannot be read.'])),
      ...this.#failing().map(({ duty, failures }) => `The timed duty "${duty}" has failed ${failures} times.`),
    ];
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
