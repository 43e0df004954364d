// Waking idle agents: the policy (wake-policy.ts) over the rows. Whoever hosts doors of an agent asks `next` when something changed; the claim of
// an attempt is one transaction, so that any number of hosts wakes an agent once. An attempt carries no promise: losing it in a power cut
// costs another wake-up. What ends it is a read (wake-proof.ts), its host's word, or time.

import { findAgent, findAgentByName } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { findHookMarks } from '../store/hook-marks.ts';
import { latestSession } from '../store/sessions.ts';
import { countInFlight } from '../store/tool-uses.ts';
import { nextReadyAt, wakingMail } from '../store/unread.ts';
import {
  type AttemptRow,
  attemptsWithin,
  endAttempt,
  findAttempt,
  insertAttempt,
  markSent,
  outstandingAttempt,
  outstandingAttempts,
} from '../store/wake-attempts.ts';
import { type DoorRow, doorsOf, failDoor, registeredDoors, type WakeDoor } from '../store/wake-doors.ts';
import { type Caller, OPERATOR } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import { findMailHint, type MailHint } from './mail-hint.ts';
import type { Posting } from './posting.ts';
import { isLive, isWorking } from './presence.ts';
import { isOpen } from './wake-doors.ts';
import { covers, type Decision, decide, type Ending, type Situation } from './wake-policy.ts';

/** A wake-up that its claimer has to carry out, and to report. */
export type Claim = { attemptId: string; doorId: string; door: WakeDoor; target: string | null; mail: MailHint };

export type Considered = Situation & { decision: Decision };

const ACTOR = { agentId: 'hub' };
/** More attempts than any mail is given; what is beyond is history. */
const ATTEMPTS_SEEN = 50;
const DETAIL_CHARS = 300;

export class Waking {
  readonly #context: HubContext;
  readonly #posting: Posting;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
  }

  /**
   * Claims the wake-up that is due by one of these doors; otherwise says after how many milliseconds to ask again, if nothing changes before.
   * A claim must be reported.
   */
  async next(
    projectId: string,
    agentId: string,
    doorIds: readonly string[],
  ): Promise<{ claim: Claim } | { claim?: never; again: number | null }> {
    const { host } = this.#context;
    // Who opened a door later hosts it now: an older host must not speak into a client that is gone.
    const isOurs = (door: DoorRow) => doorIds.includes(door.id) && (door.registered || (door.host === host.key && door.pid === host.pid));
    const { now, decision } = await this.#context.db.read((read) => this.consider(read, projectId, agentId));
    if (!decision.doors.some(isOurs)) return { again: decision.again === null ? null : Math.max(1, decision.again - now) };
    const claim = await this.#context.commands.runAs(projectId, ACTOR, (act) => this.#claim(act, agentId, isOurs), 'relaxed');
    // Somebody was faster: the next look says what to wait for.
    return claim === undefined ? { again: 1 } : { claim };
  }

  /** What came of carrying out a claim. A read may have come first; then it stands. */
  async report(projectId: string, attemptId: string, result: { sent: true } | { sent: false; detail: string }): Promise<void> {
    await this.#context.commands.runAs(
      projectId,
      ACTOR,
      async (act) => {
        const attempt = await findAttempt(act.tx, attemptId);
        if (attempt === undefined || attempt.state !== 'claimed') return;
        if (!result.sent) return await this.#end(act, { attempt, state: 'failed', stirred: false, detail: result.detail });
        await markSent(act.tx, attemptId, act.now);
        await act.emit('wake.sent', attemptId, { agent: await nameOf(act.tx, attempt.agentId), door: attempt.door });
      },
      'relaxed',
    );
  }

  /** Whether a wake-up comes in vain: it was for this agent, and what it told of has been read. Somebody else's, or none, is none. */
  async isStale(caller: Pick<Caller, 'projectId' | 'agentId' | 'sessionId'>, attemptId: string): Promise<boolean> {
    const { db, commands } = this.#context;
    return await db.read(async (read) => {
      const attempt = await findAttempt(read, attemptId);
      if (attempt?.agentId !== caller.agentId) return false;
      const now = await commands.now(read, caller.projectId);
      return (await wakingMail(read, caller.agentId, caller.sessionId, now)) === undefined;
    });
  }

  /** Duty: attempts whose time is over end; after the last one for some mail the operator learns that the agent does not react. */
  async endOverdue(): Promise<number> {
    const { db, limits, commands } = this.#context;
    const outstanding = await db.read((read) => outstandingAttempts(read, limits.dueBatch));
    let ended = 0;
    for (const candidate of outstanding) {
      const { decision } = await db.read((read) => this.consider(read, candidate.projectId, candidate.agentId));
      if (decision.ending?.attempt.id !== candidate.id) continue;
      ended += await commands.runAs(candidate.projectId, ACTOR, async (act) => {
        const again = await this.consider(act.tx, candidate.projectId, candidate.agentId);
        if (again.decision.ending?.attempt.id !== candidate.id) return 0;
        await this.#end(act, again.decision.ending, again);
        return 1;
      });
    }
    return ended;
  }

  /** At most `limit` claims that are due by registered doors, of all projects: any process with a scheduler may carry them out. */
  async nextRegistered(limit: number): Promise<(Claim & { projectId: string })[]> {
    const doors = await this.#context.db.read((read) => registeredDoors(read, this.#context.limits.dueBatch));
    const claims: (Claim & { projectId: string })[] = [];
    for (const { projectId, agentId, id } of doors) {
      if (claims.length >= limit) break;
      const { claim } = await this.next(projectId, agentId, [id]);
      if (claim !== undefined) claims.push({ ...claim, projectId });
    }
    return claims;
  }

  /** When the next registered wake-up is due, as far as time alone decides. */
  async nextRegisteredAt(): Promise<number | null> {
    return await this.#context.db.read(async (read) => {
      const dues: number[] = [];
      for (const { projectId, agentId, id } of await registeredDoors(read, this.#context.limits.dueBatch)) {
        const { now, decision } = await this.consider(read, projectId, agentId);
        if (decision.doors.some((door) => door.id === id)) dues.push(now);
        else if (decision.again !== null) dues.push(decision.again);
      }
      return dues.length === 0 ? null : Math.min(...dues);
    });
  }

  /** All that is known of whether an agent is to be woken, and the decision. */
  async consider(read: Read, projectId: string, agentId: string): Promise<Considered> {
    const { commands } = this.#context;
    const limits = this.#context.limitsOf({ projectId, agentId });
    const now = await commands.now(read, projectId);
    const session = await latestSession(read, agentId);
    const live = isLive(this.#context, session) ? session : undefined;
    const unread = await wakingMail(read, agentId, live?.id ?? null, now);
    const { agent: held, wake } = this.#context.policyOf({ projectId, agentId });
    const wanted = held.quarantine === 'yes' ? 'nothing' : wake.for;
    const mail = wanted === 'mail' || (wanted === 'urgent' && (unread?.urgent ?? 0) > 0) ? unread : undefined;
    const since = mail?.oldestReadyAt ?? now;
    const attempts =
      mail === undefined
        ? [await outstandingAttempt(read, agentId)].filter((one) => one !== undefined)
        : await attemptsWithin(read, agentId, since, now, ATTEMPTS_SEEN);
    const situation: Situation = {
      now,
      mail,
      reader: {
        waits: (live?.waitingUntil ?? 0) > now,
        inTurn:
          live === undefined || live.hookedAt === null
            ? undefined
            : isWorking(this.#context, live, await this.#inFlight(read, live.id, now)),
        turnEndedAt: live?.turnEndedAt ?? null,
        toldSeq: mail === undefined || live === undefined ? 0 : await toldSeq(read, live.id),
        heardAt: live?.calledAt ?? null,
        attachedAt: live?.startedAt ?? null,
      },
      doors: mail === undefined ? [] : (await doorsOf(read, agentId)).filter((door) => isOpen(this.#context, door, session)),
      attempts,
    };
    const decision = decide(situation, limits);
    // What was returned with a delay becomes mail again by time alone.
    const ready = mail === undefined ? await nextReadyAt(read, agentId, live?.id ?? null, now) : null;
    return { ...situation, decision: { ...decision, again: earliest(decision.again, ready) } };
  }

  #inFlight(read: Read, sessionId: string, now: number): Promise<number> {
    return countInFlight(read, sessionId, now - this.#context.limits.toolSilentMs);
  }

  async #claim(act: Act, agentId: string, isOurs: (door: DoorRow) => boolean): Promise<Claim | undefined> {
    const considered = await this.consider(act.tx, act.projectId, agentId);
    const door = considered.decision.doors.find(isOurs);
    const agent = await findAgent(act.tx, agentId);
    if (door === undefined || agent === undefined || considered.mail === undefined) return undefined;
    const mail = await findMailHint(act.tx, agent, door.sessionId, act.now);
    if (mail === undefined) return undefined;
    if (considered.decision.ending !== undefined) await this.#end(act, considered.decision.ending, considered);
    const { unread, newestSeq, newestReadyAt } = considered.mail;
    const id = this.#context.ids.next('wak');
    const attempt: AttemptRow = {
      id,
      projectId: act.projectId,
      agentId,
      doorId: door.id,
      door: door.kind,
      seq: await act.emit('wake.started', id, { agent: agent.name, door: door.kind, unread, newest_seq: newestSeq }),
      state: 'claimed',
      unread,
      newestSeq,
      newestReadyAt,
      startedAt: act.now,
      sentAt: null,
      endedAt: null,
      stirred: false,
      gaveUp: false,
      detail: '',
    };
    await insertAttempt(act.tx, attempt);
    return { attemptId: attempt.id, doorId: door.id, door: door.kind, target: door.target, mail };
  }

  /** Ends an attempt without a read, and counts it against its door unless the client stirred. */
  async #end(act: Act, { attempt, state, stirred, detail }: Ending, considered?: Considered): Promise<void> {
    const { mail, attempts } = considered ?? (await this.consider(act.tx, act.projectId, attempt.agentId));
    const tries = mail === undefined ? [] : attempts.filter((one) => covers(one, mail));
    const gaveUp = tries.length >= this.#context.limitsOf(attempt).wakeAttempts;
    const words = detail.slice(0, DETAIL_CHARS);
    if (!(await endAttempt(act.tx, { id: attempt.id, stirred, gaveUp, detail: words }, state, act.now))) return;
    if (!stirred) await failDoor(act.tx, attempt.doorId);
    const agent = await nameOf(act.tx, attempt.agentId);
    await act.emit(`wake.${state}`, attempt.id, { agent, door: attempt.door, detail: words, gave_up: gaveUp });
    // Once until it reads: another piece of mail to somebody who is known not to react is no news to the operator.
    if (gaveUp && attempts.every((one) => !one.gaveUp)) await this.#tellUnresponsive(act, attempt.agentId, agent, tries);
  }

  async #tellUnresponsive(act: Act, agentId: string, agent: string, tries: readonly AttemptRow[]): Promise<void> {
    const doors = [...new Set(tries.map(({ door }) => door))];
    await act.emit('agent.unresponsive', agentId, { agent, attempts: tries.length, doors });
    const operator = await findAgentByName(act.tx, act.projectId, OPERATOR);
    if (operator === undefined || operator.id === agentId) return;
    await this.#posting.notify(act, [operator], {
      subject: 'agent does not react',
      body: `${agent} was woken ${counted(tries.length, 'time')} (${doors.join(', ')}) and has not read what waits for it. It is not woken again until something new comes. Look with: rookery inbox ${agent}`,
    });
  }
}

async function nameOf(read: Read, agentId: string): Promise<string> {
  return (await findAgent(read, agentId))?.name ?? 'unknown';
}

/** Up to which message the hooks of a session told its model, between tools or when it wanted to stop. */
async function toldSeq(read: Read, sessionId: string): Promise<number> {
  const { hintedSeq, blockedSeq } = await findHookMarks(read, sessionId);
  return Math.max(hintedSeq, blockedSeq);
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
