// How long reservations hold, and their ends by time (C6). A lease is renewed by every call of its holder, up to its limit: the record of the
// session's calls says when, so renewing writes nothing. When the holder's session ends the lease shortens to a grace, not to nothing: a client that
// restarts its server in mid-work goes on holding. Time that only a jumping clock has seen did not pass for a lease (C13).

import { type AgentRow, findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import {
  endingReservations,
  endReservation,
  findReservation,
  heldIn,
  moveLease,
  nextLeaseEnd,
  type ReservationRow,
} from '../store/reservations.ts';
import { authorityOf } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import type { Posting } from './posting.ts';
import { endsWithCommand, sessionOf } from './presence.ts';

const ACTOR = { agentId: 'hub' };
/** Calls are written down about once a second: only then is silence silence. */
const RECORD_MS = 2_000;

export class ReservationLeases {
  readonly #context: HubContext;
  readonly #posting: Posting;
  #extendedFor = 0;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
  }

  /** Until when a reservation holds, as far as is known now, and why it would end then. */
  async endOf(read: Read, row: ReservationRow): Promise<{ at: number; heardAt: number; why: string }> {
    const holder = await findAgent(read, row.holderId);
    const session = holder === undefined || authorityOf(holder.role) === 'operator' ? undefined : await sessionOf(read, holder);
    const heardAt = Math.max(row.renewedAt, session?.calledAt ?? 0);
    const lease = Math.min(row.limitAt, Math.max(row.leaseUntil, heardAt + row.ttlMs));
    const lapsed = lease >= row.limitAt ? 'its limit is reached' : 'its lease ended';
    if (session === undefined || session.endedAt === null || endsWithCommand(session)) return { at: lease, heardAt, why: lapsed };
    const grace = session.endedAt + this.#context.limits.reservationGraceMs;
    return grace < lease ? { at: grace, heardAt, why: 'its session ended' } : { at: lease, heardAt, why: lapsed };
  }

  /** Ends a reservation that is over. Answers whether it holds. */
  async holds(act: Act, row: ReservationRow): Promise<boolean> {
    const end = await this.endOf(act.tx, row);
    if (act.now < end.at + RECORD_MS || !this.#context.time.trustsSilence()) return true;
    if (!(await endReservation(act.tx, row.id, 'expired', end.why, act.now))) return false;
    await act.emit('reservation.expired', row.id, { why: end.why });
    return false;
  }

  /** Duty: what is over ends, and its holder is told in one message; what was renewed by calls is written down. Answers how many ended. */
  async expireDue(): Promise<number> {
    await this.#extendAfterJump();
    const { db, time, limits, commands } = this.#context;
    if (!time.trustsSilence()) return 0;
    const candidates = await db.read((read) => endingReservations(read, time.now() - RECORD_MS, limits.dueBatch));
    let ended = 0;
    for (const holderId of new Set(candidates.map((one) => one.holderId))) {
      const ofHolder = candidates.filter((one) => one.holderId === holderId);
      const projectId = ofHolder[0]?.projectId ?? '';
      ended += await commands.runAs(projectId, ACTOR, (act) => this.#endOver(act, holderId, ofHolder));
    }
    return ended;
  }

  /** When the next lease may be over, for the scheduler. */
  async nextDue(): Promise<number | null> {
    if (!this.#context.time.trustsSilence()) return null;
    const next = await this.#context.instants.next(nextLeaseEnd);
    return next === null ? null : next + RECORD_MS;
  }

  /** What still holds in a project; what is over ends here. */
  async sweep(act: Act): Promise<ReservationRow[]> {
    const held: ReservationRow[] = [];
    for (const row of await heldIn(act.tx, act.projectId)) if (await this.holds(act, row)) held.push(row);
    return held;
  }

  async #endOver(act: Act, holderId: string, candidates: readonly ReservationRow[]): Promise<number> {
    const over: ReservationRow[] = [];
    for (const candidate of candidates) {
      const row = await findReservation(act.tx, act.projectId, candidate.id);
      if (row === undefined || row.state !== 'held') continue;
      if (!(await this.holds(act, row))) {
        over.push(row);
        continue;
      }
      const { at, heardAt } = await this.endOf(act.tx, row);
      if (at > row.leaseUntil) await moveLease(act.tx, row.id, at, heardAt);
    }
    const holder = over.length === 0 ? undefined : await findAgent(act.tx, holderId);
    if (holder !== undefined) await this.#tell(act, holder, over);
    return over.length;
  }

  async #tell(act: Act, holder: AgentRow, over: readonly ReservationRow[]): Promise<void> {
    const list = over.map((one) => `${one.id}: ${one.resource}`).join('\n');
    await this.#posting.notify(act, [holder], {
      subject: 'reservations ended',
      body: `You no longer hold these; others may take them. Reserve again what you still work on.\n\n${list}`,
      ...(over[0] === undefined ? {} : { ref: over[0].id }),
    });
  }

  /** The time that a jump skipped did not pass for anybody. Who extends a lease marks it as renewed, so it is extended once. */
  async #extendAfterJump(): Promise<void> {
    const { time, db } = this.#context;
    const { jumped } = time;
    if (jumped === undefined || jumped.at <= this.#extendedFor) return;
    const before = jumped.at - jumped.byMs;
    await db.write(
      '',
      async (tx) => {
        for (const row of await endingReservations(tx, Number.MAX_SAFE_INTEGER, this.#context.limits.reservationsInProject)) {
          const { at, heardAt } = await this.endOf(tx, row);
          if (heardAt <= before) await moveLease(tx, row.id, Math.min(row.limitAt, Math.max(at, row.leaseUntil) + jumped.byMs), time.now());
        }
      },
      'relaxed',
    );
    this.#extendedFor = jumped.at;
  }
}
