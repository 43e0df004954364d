// The loop that runs timed duties. There is no leader: every process runs it, and each duty's own transaction decides who acts (invariant 7).
// A duty that fails is recorded, backs off, and does not stop the others.

import type { Clock } from '../hub/clock.ts';
import type { Hub } from '../hub/hub.ts';
import type { Log } from '../system/log.ts';
import type { Duty } from './duties.ts';

/** The longest back-off of a failing duty. */
const BACKOFF_CEILING_MS = 60_000;
const STEP_MS = 1_000;

type Planned = Duty & { dueAt: number; failures: number; lastError: string | null };

export class Scheduler {
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #duties: Planned[];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #sessions: () => string[] = () => [];

  constructor(hub: Hub, duties: Duty[], clock: Clock, log: Log) {
    this.#hub = hub;
    this.#clock = clock;
    this.#log = log;
    const heartbeat: Duty = {
      name: 'heartbeat',
      everyMs: hub.limits.heartbeatMs,
      run: async () => hub.sessions.beat(this.#sessions()),
    };
    this.#duties = [heartbeat, ...duties].map((duty) => ({ ...duty, dueAt: 0, failures: 0, lastError: null }));
  }

  /** Names the sessions whose heartbeat this process keeps. */
  keepAlive(sessions: () => string[]): void {
    this.#sessions = sessions;
  }

  /** Duties that fail at the moment, for doctor and readiness. */
  failing(): { duty: string; failures: number; lastError: string }[] {
    return this.#duties
      .filter((duty) => duty.failures > 0)
      .map((duty) => ({ duty: duty.name, failures: duty.failures, lastError: duty.lastError ?? '' }));
  }

  start(): void {
    this.#running ??= this.#loop();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Runs every duty that is due. Answers how long nothing will be. */
  async tick(): Promise<number> {
    for (const duty of this.#duties) {
      if (this.#stop.signal.aborted) return 0;
      if (duty.dueAt <= this.#clock.monotonic()) await this.#run(duty);
    }
    return Math.max(0, Math.min(...this.#duties.map((duty) => duty.dueAt)) - this.#clock.monotonic());
  }

  async #run(duty: Planned): Promise<void> {
    try {
      await duty.run();
      duty.failures = 0;
    } catch (error) {
      duty.failures += 1;
      duty.lastError = error instanceof Error ? error.message : 'unknown';
      this.#log.error({ event: 'duty_failed', duty: duty.name, failures: duty.failures, err: error }, 'a timed duty failed');
    }
    const backoff = duty.failures === 0 ? duty.everyMs : Math.min(BACKOFF_CEILING_MS, duty.everyMs * 2 ** duty.failures);
    duty.dueAt = this.#clock.monotonic() + backoff;
  }

  async #loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const idle = await this.tick();
      await this.#clock.sleep(Math.max(50, Math.min(idle, STEP_MS)), this.#stop.signal);
    }
    await this.#hub.calls.flush();
  }
}
