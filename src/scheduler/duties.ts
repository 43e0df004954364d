// The timed duties. Each lives with its noun and is safe to run in any number of processes at once; this is only the list.

import type { Hub } from '../hub/hub.ts';

export type Duty = {
  name: string;
  /** Run at least this often, in milliseconds. */
  everyMs: number;
  /** The next instant (hub time) at which there is something to do, where the duty knows; it is then run on time, not only every so often. */
  nextDue?(): Promise<number | null>;
  /** Does what is due and answers how much it did. */
  run(): Promise<unknown>;
};

export function dutiesOf(hub: Hub): Duty[] {
  const {
    approvalEnds,
    askEnds,
    calls,
    clientProcesses,
    clockPeers,
    deliveries,
    firing,
    handoffs,
    heartbeats,
    leases,
    offers,
    taskDeadlines,
    reservationLeases,
    turns,
    waking,
  } = hub;
  return [
    // First, because it also writes the heartbeat by which everybody sees that duties run.
    { name: 'fire reminders', everyMs: 5_000, nextDue: () => firing.nextDue(), run: () => firing.fireDue() },
    { name: 'end asks', everyMs: 5_000, nextDue: () => askEnds.nextDue(), run: () => askEnds.expireDue() },
    { name: 'end approvals', everyMs: 5_000, nextDue: () => approvalEnds.nextDue(), run: () => approvalEnds.expireDue() },
    { name: 'end reservations', everyMs: 5_000, nextDue: () => reservationLeases.nextDue(), run: () => reservationLeases.expireDue() },
    { name: 'compare clocks', everyMs: 3_000, run: () => clockPeers.compare() },
    { name: 'record calls', everyMs: 1_000, run: () => calls.flush() },
    { name: 'renew leases', everyMs: 1_000, run: () => leases.flush() },
    { name: 'end leases', everyMs: 5_000, nextDue: () => leases.nextDue(), run: () => leases.expireDue() },
    { name: 'tell late reviews', everyMs: 15_000, run: () => hub.reviews.tellLate() },
    { name: 'offer tasks', everyMs: 2_000, run: () => offers.offerReady() },
    { name: 'pass deadlines', everyMs: 5_000, nextDue: () => taskDeadlines.nextDue(), run: () => taskDeadlines.passDue() },
    { name: 'tell of a backlog', everyMs: 60_000, run: () => offers.tellBacklog() },
    { name: 'end hand-offs', everyMs: 15_000, nextDue: () => handoffs.nextDue(), run: () => handoffs.endOverdue() },
    { name: 'end dead sessions', everyMs: 5_000, run: () => heartbeats.endDead() },
    { name: 'expire messages', everyMs: 2_000, run: () => deliveries.expireDue() },
    { name: 'nudge', everyMs: 10_000, run: () => deliveries.nudgeForgetful() },
    { name: 'tell stalled', everyMs: 10_000, run: () => deliveries.tellStalled() },
    { name: 'tell absent', everyMs: 15_000, run: () => askEnds.tellAbsent() },
    { name: 'bury poison', everyMs: 10_000, run: () => deliveries.buryPoison() },
    { name: 'offer pool messages again', everyMs: 15_000, run: () => deliveries.reofferPool() },
    { name: 'end wake-ups', everyMs: 5_000, run: () => waking.endOverdue() },
    { name: 'end interrupted turns', everyMs: 5_000, run: () => turns.endInterrupted() },
    { name: 'end silent turns', everyMs: 30_000, run: () => turns.endSilent() },
    { name: 'forget ended clients', everyMs: 30_000, run: () => clientProcesses.forgetGone() },
    { name: 'sweep', everyMs: 60_000, nextDue: () => hub.sweeps.nextDue(), run: () => hub.sweeps.run() },
  ];
}
