// Whose clock is right (C13). A process that starts with a clock far ahead of the database, while other processes of this host live, is the odd
// one out: it follows the hub's time, so that nobody's deadlines end because of it. It goes by its own clock again when the others turn out to
// have been suspended (they catch up), or not to run the timed duties at all.

import { findHub } from '../store/projects.ts';
import { openSessions } from '../store/sessions.ts';
import type { HubContext } from './context.ts';

export class ClockPeers {
  readonly #context: HubContext;
  #beatAt: number;
  #movedAt: number;

  /** `beatAt`: when timed duties last ran in any process, read before this one ran any. */
  constructor(context: HubContext, beatAt: number) {
    this.#context = context;
    this.#beatAt = beatAt;
    this.#movedAt = context.clock.monotonic();
  }

  /** Run once, before this process writes anything. */
  async settle(): Promise<void> {
    const { clock, db, host, limits, time } = this.#context;
    if (clock.now() - this.#beatAt <= limits.clockJumpMs) return;
    const sessions = await db.read((read) => openSessions(read, null));
    const peers = sessions.some((session) => session.host === host.key && session.pid !== host.pid && host.isAlive(session.pid));
    if (peers) time.follow(this.#beatAt);
  }

  /** Duty: whether following is still right. */
  async compare(): Promise<void> {
    const { clock, db, limits, time } = this.#context;
    if (!time.follows) return;
    const beatAt = (await db.read(findHub))?.beatAt ?? this.#beatAt;
    if (beatAt !== this.#beatAt) this.#movedAt = clock.monotonic();
    this.#beatAt = beatAt;
    const caughtUp = Math.abs(clock.now() - beatAt) <= limits.clockJumpMs;
    if (caughtUp || clock.monotonic() - this.#movedAt > limits.schedulerSilenceMs) time.unfollow();
  }
}
