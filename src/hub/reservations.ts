// Reservations: an agent says what it works on, so that others keep away or know.
//
//   held -> released | expired
//
// Names are locks: who comes second is refused. Paths and globs warn by default, both sides, or refuse by policy. A reservation is leased and fenced:
// its token is the seq of the event that took it, so a later holder of the same thing has a higher one. It is handed on to nobody silently.

import { findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { findProject } from '../store/projects.ts';
import {
  endReservation,
  findReservation,
  heldBy,
  heldIn,
  insertReservation,
  type ReservationKind,
  type ReservationMode,
  type ReservationRow,
  type ReservationState,
  renewReservation,
} from '../store/reservations.ts';
import { type Caller, oversees } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import type { Posting } from './posting.ts';
import type { ReservationLeases } from './reservation-leases.ts';
import { toLockName } from './reserved-names.ts';
import { overlap, type Reservable, toReservable } from './reserved-paths.ts';

/** What may follow what. */
export const RESERVATION_TRANSITIONS: Readonly<Record<ReservationState, readonly ReservationState[]>> = {
  held: ['released', 'expired'],
  released: [],
  expired: [],
};

export type ReservationRequest = {
  paths: readonly string[];
  names: readonly string[];
  mode: ReservationMode;
  ttlMs?: number | undefined;
  reason?: string | undefined;
};

export type ReservationView = ReservationRow & { holder: string; until: number };
/** Something asked for, and what of another it meets. */
export type Overlap = { asked: string; with: ReservationView };

type Wanted = Reservable & { kind: ReservationKind };

export class Reservations {
  readonly #context: HubContext;
  readonly #posting: Posting;
  readonly #leases: ReservationLeases;

  constructor(context: HubContext, posting: Posting, leases: ReservationLeases) {
    this.#context = context;
    this.#posting = posting;
    this.#leases = leases;
  }

  /**
   * Reserves all that is asked for, or nothing. What the caller holds already is renewed. Errors: `conflict` naming the holder and until when,
   * `limit_reached`, `invalid_input`.
   */
  async reserve(
    caller: Caller,
    request: ReservationRequest,
    intent: Intent,
  ): Promise<{ taken: ReservationView[]; overlaps: Overlap[]; replayed?: boolean }> {
    const wanted = await this.#wanted(caller, request);
    return await this.#context.commands.run(caller, intent, async (act) => {
      const held = await this.#leases.sweep(act);
      const overlaps = await this.#overlaps(act.tx, caller, wanted, request.mode, held);
      const refused = overlaps.filter((one) => this.#refuses(caller, one));
      if (refused.length > 0) throw refusal(refused);
      this.#assertRoom(caller, wanted, held);
      const taken: ReservationView[] = [];
      for (const one of wanted) taken.push(await this.#take(act, caller, one, request, held));
      if (overlaps.length > 0) await this.#warn(act, caller, overlaps);
      return { taken, overlaps };
    });
  }

  /** The same, waiting at most `waitMs` for what others hold to become free. */
  async reserveWithin(
    caller: Caller,
    request: ReservationRequest,
    intent: Intent,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<{ taken: ReservationView[]; overlaps: Overlap[]; replayed?: boolean }> {
    if (waitMs <= 0 || (await this.#context.commands.isRetry(caller, intent))) return await this.reserve(caller, request, intent);
    const wanted = await this.#wanted(caller, request);
    const { end, value } = await this.#context.waiting.until(waitMs, signal, async () => {
      const blocking = await this.#context.commands.look(caller, async (read) => {
        const held = await heldIn(read, caller.projectId);
        return (await this.#overlaps(read, caller, wanted, request.mode, held)).filter((one) => this.#refuses(caller, one));
      });
      const soonest = Math.min(...blocking.map((one) => one.with.until)) - this.#context.time.now();
      if (blocking.length > 0 && soonest > 0) return { again: soonest };
      try {
        return { found: await this.reserve(caller, request, intent) };
      } catch (error) {
        if (error instanceof HubError && error.code === 'conflict') return { again: 1_000 };
        throw error;
      }
    });
    if (value !== undefined) return value;
    if (end === 'timeout') return await this.reserve(caller, request, intent);
    throw new HubError('unavailable', 'The wait was cut short; nothing was reserved.', { hint: 'Call again.' });
  }

  /** Gives back by id, or by what was reserved. Managers and the operator may end another's; its holder is told. Errors: `not_found`, `forbidden`. */
  async release(
    caller: Caller,
    what: readonly string[],
    intent: Intent,
  ): Promise<{ released: string[]; already: { id: string; state: ReservationState }[]; replayed?: boolean }> {
    return await this.#context.commands.run(caller, intent, async (act) => {
      const released: string[] = [];
      const already: { id: string; state: ReservationState }[] = [];
      const own = await heldBy(act.tx, caller.agentId, this.#context.limits.reservationsInProject);
      for (const one of what) {
        const row =
          own.find((mine) => mine.id === one || mine.resource === one.trim()) ?? (await findReservation(act.tx, act.projectId, one));
        if (row === undefined) throw unknown(one);
        if (row.holderId !== caller.agentId && !oversees(caller)) {
          throw new HubError('forbidden', `${row.id} is held by ${await nameOf(act.tx, row.holderId)}; nothing was released.`, {
            hint: 'Ask its holder by send, or a manager.',
          });
        }
        if (row.state !== 'held') already.push({ id: row.id, state: row.state });
        else if (await endReservation(act.tx, row.id, 'released', `released by ${caller.name}`, act.now)) {
          await act.emit('reservation.released', row.id, { by: caller.name });
          released.push(row.id);
          if (row.holderId !== caller.agentId) await this.#tellReleased(act, caller, row);
        }
      }
      return { released, already };
    });
  }

  /** Everything that is held in the project, the oldest first. */
  async list(caller: Caller): Promise<ReservationView[]> {
    return await this.#context.commands.look(caller, async (read, now) => {
      const views = await Promise.all((await heldIn(read, caller.projectId)).map((row) => this.view(read, row)));
      return views.filter(({ until }) => until > now);
    });
  }

  async view(read: Read, row: ReservationRow): Promise<ReservationView> {
    return { ...row, holder: await nameOf(read, row.holderId), until: (await this.#leases.endOf(read, row)).at };
  }

  #refuses(caller: Caller, { with: other }: Overlap): boolean {
    return other.kind === 'name' || this.#context.policyOf(caller).guard.overlaps === 'refuse';
  }

  async #wanted(caller: Caller, request: ReservationRequest): Promise<Wanted[]> {
    const project = await this.#context.db.read((read) => findProject(read, caller.projectId));
    const roots = [caller.root, project?.root ?? ''].filter((root) => root !== '');
    const wanted = [
      ...request.paths.map((path): Wanted => ({ kind: 'path', ...toReservable(path, roots) })),
      ...request.names.map((name): Wanted => ({ kind: 'name', ...toLockName(name) })),
    ];
    if (wanted.length === 0)
      throw new HubError('invalid_input', 'paths and names are both empty; nothing was reserved.', { hint: 'Name what you work on.' });
    return wanted.filter((one, at) => wanted.findIndex((other) => other.kind === one.kind && other.folded === one.folded) === at);
  }

  async #overlaps(
    read: Read,
    caller: Caller,
    wanted: readonly Wanted[],
    mode: ReservationMode,
    held: readonly ReservationRow[],
  ): Promise<Overlap[]> {
    const found: Overlap[] = [];
    const others = held.filter((one) => one.holderId !== caller.agentId && (mode === 'exclusive' || one.mode === 'exclusive'));
    for (const one of wanted) {
      for (const other of others) {
        if (one.kind !== other.kind || !(one.kind === 'name' ? one.folded === other.folded : overlap(one.folded, other.folded))) continue;
        found.push({ asked: one.text, with: await this.view(read, other) });
      }
    }
    return found;
  }

  #assertRoom(caller: Caller, wanted: readonly Wanted[], held: readonly ReservationRow[]): void {
    const { reservations, reservationsInProject } = this.#context.limitsOf(caller);
    const own = held.filter((one) => one.holderId === caller.agentId);
    const fresh = wanted.filter((one) => !own.some((mine) => mine.kind === one.kind && mine.folded === one.folded)).length;
    const [count, limit, whose] =
      own.length + fresh > reservations
        ? [own.length, reservations, 'You hold']
        : [held.length, reservationsInProject, 'The agents of this project hold'];
    if (count + fresh <= limit) return;
    throw new HubError('limit_reached', `${whose} ${count} reservations, the limit is ${limit}; nothing was reserved.`, {
      hint: 'Release some, or reserve a folder instead of its files.',
    });
  }

  async #take(
    act: Act,
    caller: Caller,
    one: Wanted,
    request: ReservationRequest,
    held: readonly ReservationRow[],
  ): Promise<ReservationView> {
    const { ids } = this.#context;
    const limits = this.#context.limitsOf(caller);
    const ttlMs = request.ttlMs ?? limits.reservationMs;
    const limitAt = act.now + Math.max(limits.reservationLimitMs, ttlMs);
    const terms = { mode: request.mode, reason: wellFormed(request.reason ?? ''), ttlMs, leaseUntil: act.now + ttlMs, limitAt };
    const own = held.find((mine) => mine.holderId === caller.agentId && mine.kind === one.kind && mine.folded === one.folded);
    if (own !== undefined) {
      await renewReservation(act.tx, own.id, terms, act.now);
      // More of the same is no change; other terms are, and whoever looks on is to see them.
      if (own.mode !== terms.mode || own.reason !== terms.reason || own.ttlMs !== terms.ttlMs)
        await act.emit('reservation.changed', own.id, { by: caller.name, mode: terms.mode });
      return { ...own, ...terms, renewedAt: act.now, holder: caller.name, until: terms.leaseUntil };
    }
    const id = ids.next('rsv');
    const token = await act.emit('reservation.taken', id, { by: caller.name, kind: one.kind, resource: one.text, mode: terms.mode });
    const row = {
      id,
      projectId: act.projectId,
      holderId: caller.agentId,
      kind: one.kind,
      resource: one.text,
      folded: one.folded,
      token,
      takenAt: act.now,
      renewedAt: act.now,
      ...terms,
    };
    await insertReservation(act.tx, row);
    return { ...row, state: 'held', endedAt: null, endReason: null, holder: caller.name, until: terms.leaseUntil };
  }

  /** Each holder whose reservation is met is told once per call; the caller is told in the reply. */
  async #warn(act: Act, caller: Caller, overlaps: readonly Overlap[]): Promise<void> {
    for (const holderId of new Set(overlaps.map((one) => one.with.holderId))) {
      const theirs = overlaps.filter((one) => one.with.holderId === holderId);
      const holder = await findAgent(act.tx, holderId);
      const [first] = theirs;
      if (holder === undefined || first === undefined) continue;
      await act.emit('reservation.overlapped', first.with.id, { by: caller.name });
      const lines = theirs.map((one) => `${one.asked} meets your ${one.with.resource} (${one.with.id})`);
      await this.#posting.notify(act, [holder], {
        subject: 'overlapping reservation',
        body: `${caller.name} has reserved what overlaps yours. Agree on who goes first; release what you no longer need.\n\n${lines.join('\n')}`,
        ref: first.with.id,
      });
    }
  }

  async #tellReleased(act: Act, caller: Caller, row: ReservationRow): Promise<void> {
    const holder = await findAgent(act.tx, row.holderId);
    if (holder === undefined) return;
    await this.#posting.notify(act, [holder], {
      subject: 'reservation ended',
      body: `${caller.name} released your reservation ${row.id}: ${row.resource}`,
      ref: row.id,
    });
  }
}

async function nameOf(read: Read, agentId: string): Promise<string> {
  return (await findAgent(read, agentId))?.name ?? 'unknown';
}

/** It names what the caller asked for and who holds it, never the other's own words. */
function refusal(overlaps: readonly Overlap[]): HubError {
  const named = overlaps
    .slice(0, 3)
    .map(({ asked, with: other }) => `${asked} (held ${other.mode} by ${other.holder} until ${toIso(other.until)})`);
  const more = overlaps.length > 3 ? ` and ${overlaps.length - 3} more` : '';
  return new HubError('conflict', `Reserved already: ${named.join(', ')}${more}. Nothing was reserved.`, {
    hint: 'Wait with wait_seconds, work on something else, or ask the holder by send. A lease is renewed while its holder works.',
  });
}

function unknown(what: string): HubError {
  return new HubError('not_found', `No reservation ${what.slice(0, 40)} in this project; nothing was released.`, {
    hint: 'reserve without arguments lists them.',
  });
}
