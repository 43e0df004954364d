// The loop that runs timed duties. There is no leader: every process runs it, and each duty's own transaction decides who acts (invariant 7).
// A duty that fails is recorded, backs off, and does not stop the others.

import type { Clock } from '../hub/clock.ts';
import { isHubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import { seconds } from '../hub/telemetry.ts';
import type { Log } from '../system/log.ts';
import type { Duty } from './duties.ts';

/** The longest back-off of a failing duty. */
const BACKOFF_CEILING_MS = 60_000;
/** A database that is away is no failure of the duty: when it is back, what is late is done soon. */
const AWAY_MS = 2_000;
/** Between two rounds, however much changes. */
const PAUSE_MS = 20;
/** The same while more is due, or will be before that: whoever waits for the lock looks for it every one to three milliseconds, and gets in between. */
const BREATH_MS = 5;
/** On a server every round costs statements of everybody's, and every change of every hub asks for one. */
const SERVER_REST_MS = 200;
/** Other processes set reminders, too, and may die before they fire them: look at least this often. */
const LONGEST_SLEEP_MS = 1_000;

type Planned = Duty & { dueAt: number; failures: number; lastError: string | null };

export class Scheduler {
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #duties: Planned[];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  readonly #alsoStopped: (() => Promise<void>)[] = [];
  #sessions: () => string[] = () => [];
  /** The database was away when it was last asked. */
  #away = false;
  /** A duty found something to do in this round. */
  #didSomething = false;

  constructor(hub: Hub, duties: Duty[], clock: Clock, log: Log) {
    this.#hub = hub;
    this.#clock = clock;
    this.#log = log;
    const heartbeat: Duty = {
      name: 'heartbeat',
      everyMs: hub.limits.heartbeatMs,
      run: async () => hub.heartbeats.beat(this.#sessions()),
    };
    this.#duties = [heartbeat, ...duties].map((duty) => ({ ...duty, dueAt: 0, failures: 0, lastError: null }));
  }

  /** Names the sessions whose heartbeat this process keeps. */
  keepAlive(sessions: () => string[]): void {
    this.#sessions = sessions;
  }

  /** Has this ended, too, after the last duty: what a duty began and left running beside it. */
  alsoStop(close: () => Promise<void>): void {
    this.#alsoStopped.push(close);
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
    for (const close of this.#alsoStopped) await close();
  }

  /** Runs every duty that is due. Answers after how many milliseconds the next one will be. */
  async tick(): Promise<number> {
    await this.#runDue();
    return await this.#untilNext();
  }

  async #runDue(): Promise<void> {
    this.#didSomething = false;
    for (const duty of this.#duties) {
      if (this.#stop.signal.aborted) return;
      if (duty.dueAt <= this.#clock.monotonic()) await this.#run(duty);
    }
  }

  async #untilNext(): Promise<number> {
    if (this.#stop.signal.aborted) return 0;
    const waits = await Promise.all(this.#duties.map((duty) => this.#wait(duty)));
    const soonest = Math.min(...waits);
    // A timer may come up to a millisecond early: then nothing would be due yet, and the next look only after a rest.
    return soonest === 0 ? 0 : soonest + 1;
  }

  /** How long until this duty is to run: its period, or the instant it knows of, whichever is sooner. */
  async #wait(duty: Planned): Promise<number> {
    const period = Math.max(0, duty.dueAt - this.#clock.monotonic());
    // A failing duty keeps its back-off, whatever is due.
    if (duty.nextDue === undefined || duty.failures > 0) return period;
    try {
      const at = await duty.nextDue();
      if (at === null) return period;
      const wait = Math.max(0, at - this.#hub.context.time.now());
      if (wait < period) duty.dueAt = this.#clock.monotonic() + wait;
      return Math.min(wait, period);
    } catch {
      return period; // running it will say what is wrong
    }
  }

  async #run(duty: Planned): Promise<void> {
    let ceiling = BACKOFF_CEILING_MS;
    const { telemetry } = this.#hub.context;
    const name = { duty: duty.name };
    if (duty.dueAt > 0) telemetry.record('hub.scheduler.lag', seconds(this.#clock.monotonic() - duty.dueAt));
    try {
      const did = await duty.run();
      if (typeof did === 'number' && did > 0) this.#didSomething = true;
      duty.failures = 0;
      telemetry.count('hub.scheduler.runs', 1, { ...name, outcome: 'ok' });
      if (this.#away) this.#log.warn({ event: 'duties_run_again' }, 'timed duties run again');
      this.#away = false;
    } catch (error) {
      duty.failures += 1;
      telemetry.count('hub.scheduler.runs', 1, { ...name, outcome: 'failed' });
      duty.lastError = error instanceof Error ? error.message : 'unknown';
      ceiling = this.#report(duty, error);
    }
    const now = this.#clock.monotonic();
    // Duties of one period come round together, and an idle process wakes for all of them once.
    const next = (Math.floor(now / duty.everyMs) + 1) * duty.everyMs;
    duty.dueAt = duty.failures === 0 ? next : now + Math.min(ceiling, duty.everyMs * 2 ** duty.failures);
  }

  /** Says that a duty failed, of a database that is away once only. Answers how long it may be put off at most. */
  #report(duty: Planned, error: unknown): number {
    const facts = { event: 'duty_failed', duty: duty.name, failures: duty.failures };
    if (!isHubError(error) || error.code !== 'unavailable') {
      this.#log.error({ ...facts, err: error }, 'a timed duty failed');
      return BACKOFF_CEILING_MS;
    }
    if (!this.#away) this.#log.warn({ ...facts, reason: error.message }, 'timed duties wait for the database');
    this.#away = true;
    return AWAY_MS;
  }

  /** Before anything else: those whose sessions an earlier process took with it learn that the hub is back. */
  async #announceRestart(): Promise<void> {
    try {
      await this.#hub.restarts.announce();
    } catch (error) {
      this.#log.error({ event: 'announce_failed', err: error }, 'the restart could not be announced');
    }
  }

  /** Sleeps to the nearest instant and wakes early when something changed; never twice within the pause that leaves the lock to others. */
  async #loop(): Promise<void> {
    await this.#announceRestart();
    while (!this.#stop.signal.aborted) {
      await this.#runDue();
      // Subscribed before it is looked what comes next (invariant 6): what is set while this rests is seen after it.
      const early = new AbortController();
      const wake = () => early.abort();
      const unsubscribe = this.#hub.context.db.onChange(wake);
      this.#stop.signal.addEventListener('abort', wake, { once: true });
      const idle = await this.#untilNext();
      const [rest, since] = [this.#rest(idle), this.#clock.monotonic()];
      if (idle > rest) await this.#clock.sleep(Math.min(idle, LONGEST_SLEEP_MS), early.signal);
      unsubscribe();
      const left = rest - (this.#clock.monotonic() - since);
      if (left > 0) await this.#clock.sleep(left, this.#stop.signal);
      this.#stop.signal.removeEventListener('abort', wake);
    }
    await this.#hub.calls.flush();
  }

  /** How long to rest after a round, whatever changes. `idle`: how long until the next duty. */
  #rest(idle: number): number {
    if (this.#hub.context.db.engine === 'postgres' && idle > 0) return Math.max(PAUSE_MS, Math.min(SERVER_REST_MS, idle));
    if (idle === 0) return this.#didSomething ? BREATH_MS : PAUSE_MS;
    return Math.max(BREATH_MS, Math.min(PAUSE_MS, idle));
  }
}
