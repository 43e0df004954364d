// One change by one caller: the frame every mutating service call runs in. In a single transaction it checks that the caller's session
// still holds its agent (C5), answers a repeated key with the stored result (C2), lets the service change things, appends the events,
// and moves the project's head. Invariant 2: the change, its events and its idempotency record commit together, or not at all.

import { createHash } from 'node:crypto';
import { findAgent } from '../store/agents.ts';
import type { Db, Durability, Read, Tx } from '../store/db.ts';
import { type EventRow, insertEvents } from '../store/events.ts';
import { findKey, insertKey } from '../store/idempotency.ts';
import { updateHead } from '../store/projects.ts';
import { latestSession, reviveSession } from '../store/sessions.ts';
import { clockOf, findStanding, type Standing } from '../store/standing.ts';
import type { Caller } from './caller.ts';
import { canonicalJson } from './canonical-json.ts';
import { toIso } from './clock.ts';
import { HubError } from './errors.ts';
import { type EventType, eventHash } from './events.ts';
import type { Host } from './host.ts';
import type { PolicyBook } from './policy-book.ts';
import type { Telemetry } from './telemetry.ts';
import type { HubTime } from './time.ts';
import { currentCall, type SpanRecord } from './trace.ts';

/** What a service works with inside a transaction. */
export type Act = {
  readonly tx: Tx;
  readonly now: number;
  readonly projectId: string;
  /** The newest event of the project before this change. */
  readonly headSeq: number;
  /** Appends an event and answers its seq. `subject` is the id of the thing it is about; `data` never holds a body or a secret. */
  emit(type: EventType, subject: string, data: Record<string, unknown>): Promise<number>;
  /** The trace of the call that this belongs to (W3C). */
  readonly traceparent: string | undefined;
  /** Where spans are put that are told once this is committed; undefined where nobody collects them. */
  readonly spans: SpanRecord[] | undefined;
};

export type Intent = {
  tool: string;
  /** The caller's idempotency key, with the arguments it stands for. */
  key?: string | undefined;
  args?: unknown;
  durability?: Durability;
};

/** Says of a result whether its key is to be kept: a call that goes on waiting has not had its result yet. */
export type KeepKey<T> = { keepKey?: (result: T) => boolean };

type Trace = Pick<Act, 'traceparent' | 'spans'>;
type Actor = { agentId: string; sessionId: string | null; epoch: number | null };

export class Commands {
  readonly #db: Db;
  readonly #time: HubTime;
  readonly #host: Host;
  readonly #telemetry: Telemetry;
  readonly #policies: PolicyBook;

  constructor(db: Db, time: HubTime, host: Host, telemetry: Telemetry, policies: PolicyBook) {
    this.#policies = policies;
    this.#db = db;
    this.#time = time;
    this.#host = host;
    this.#telemetry = telemetry;
  }

  /** Runs a change for a caller. A repeated key answers the stored result with `replayed: true`. */
  run<T extends object>(
    caller: Caller,
    intent: Intent & KeepKey<T>,
    change: (act: Act) => Promise<T>,
  ): Promise<T & { replayed?: boolean }> {
    return this.#traced((trace) =>
      this.#db.write(
        caller.projectId,
        async (tx) => {
          const { act, finish, standing } = await this.#begin(tx, caller.projectId, caller, trace());
          await this.#assertHolds(act, caller, standing);
          if (intent.key === undefined) return await finish(await change(act));
          const scope = { projectId: caller.projectId, principalId: caller.agentId, tool: intent.tool, key: intent.key };
          const argsDigest = createHash('sha256').update(canonicalJson(intent.args)).digest('hex');
          const known = await findKey(tx, scope);
          if (known !== undefined) return await finish(this.#replay<T>(known, argsDigest, intent.key));
          const result = await change(act);
          if (intent.keepKey?.(result) !== false) await insertKey(tx, scope, argsDigest, JSON.stringify(result), act.now);
          return await finish(result);
        },
        intent.durability ?? 'synced',
      ),
    );
  }

  /** Runs a change that no caller asked for: timed duties, set-up. `actor` is who stands in the event log for it. */
  runAs<T>(projectId: string, actor: { agentId: string }, change: (act: Act) => Promise<T>, durability: Durability = 'synced'): Promise<T> {
    return this.#traced((trace) =>
      this.#db.write(
        projectId,
        async (tx) => {
          const { act, finish } = await this.#begin(tx, projectId, { ...actor, sessionId: null, epoch: null }, trace());
          return await finish(await change(act));
        },
        durability,
      ),
    );
  }

  /** What was not committed is in no trace. */
  async #traced<T>(write: (trace: () => Trace) => Promise<T>): Promise<T> {
    const traceparent = currentCall()?.traceparent;
    // A call whose trace nobody keeps leaves no spans of what it did, either.
    if (!this.#telemetry.traces || traceparent?.endsWith('-00')) return await write(() => ({ traceparent, spans: undefined }));
    const spans: SpanRecord[] = [];
    const result = await write(() => {
      spans.length = 0;
      return { traceparent, spans };
    });
    const now = this.#time.now();
    for (const span of spans) this.#telemetry.span({ ...span, endAt: span.endAt ?? Math.max(span.startAt, now) });
    return result;
  }

  /** Whether this call's key already has its result: then it is a retry, and costs no rate. */
  isRetry(caller: Caller, intent: Intent): Promise<boolean> {
    const { key } = intent;
    if (key === undefined) return Promise.resolve(false);
    const scope = { projectId: caller.projectId, principalId: caller.agentId, tool: intent.tool, key };
    return this.#db.read(async (read) => (await findKey(read, scope)) !== undefined);
  }

  /** A consistent look for a caller whose session still holds its agent. */
  look<T>(caller: Caller, look: (read: Read, now: number) => Promise<T>): Promise<T> {
    return this.#db.read(async (read) => {
      const standing = await findStanding(read, caller.projectId, sessionOf(caller));
      await assertCurrent(read, caller, standing);
      return await look(read, this.#time.nowAfter(standing?.clockAt ?? 0));
    });
  }

  /** The time of a project: never behind its latest change, even one made by a process whose clock was ahead (C13). */
  async now(read: Read, projectId: string): Promise<number> {
    return this.#time.nowAfter(await clockOf(read, projectId));
  }

  /** Events are written when the change is done, and the head moves with them: both, or neither. */
  async #begin(tx: Tx, projectId: string, actor: Actor, trace: Trace) {
    const standing = await findStanding(tx, projectId, sessionOf(actor));
    if (standing === undefined)
      throw new HubError('not_found', 'This project is not known to the hub.', {
        hint: 'Start a session in it first.',
      });
    await this.#policies.refresh(tx, standing.policyStamp);
    const head = { seq: standing.eventSeq, hash: standing.eventHash };
    const now = this.#time.nowAfter(standing.clockAt);
    const events: EventRow[] = [];
    const emit = async (type: EventType, subject: string, data: Record<string, unknown>) => {
      const draft = {
        projectId,
        seq: head.seq + 1,
        at: now,
        type,
        actorId: actor.agentId,
        sessionId: actor.sessionId,
        subject,
        data: JSON.stringify(data),
      };
      head.seq = draft.seq;
      head.hash = eventHash(head.hash, draft);
      events.push({ ...draft, hash: head.hash });
      return draft.seq;
    };
    const finish = async <R>(result: R): Promise<R> => {
      if (events.length === 0) return result;
      await insertEvents(tx, events);
      await updateHead(tx, projectId, now, head.seq, head.hash);
      return result;
    };
    return { act: { tx, now, projectId, headSeq: standing.eventSeq, emit, ...trace } satisfies Act, finish, standing };
  }

  /** The fence of C5, inside the transaction. A session that was only taken for dead goes on; one that was replaced does not. */
  async #assertHolds(act: Act, caller: Caller, standing: Standing): Promise<void> {
    if (!(await assertCurrent(act.tx, caller, standing))) {
      await reviveSession(act.tx, caller.sessionId, act.now, this.#host);
      await act.emit('session.revived', caller.sessionId, { agent: caller.name });
    }
  }

  #replay<T extends object>(known: { argsDigest: string; result: string }, argsDigest: string, key: string): T & { replayed: boolean } {
    if (known.argsDigest !== argsDigest) {
      this.#telemetry.count('hub.idempotency_conflicts');
      throw new HubError('conflict', `idempotency_key "${key.slice(0, 40)}" was used before with other arguments; nothing was changed.`, {
        hint: 'Use a fresh key for a new request; repeat the same arguments to retry an old one.',
      });
    }
    return { ...(JSON.parse(known.result) as T), replayed: true };
  }
}

/** The session whose fence holds for an actor; null for principals without sessions. */
function sessionOf({ sessionId, epoch }: Pick<Actor, 'sessionId' | 'epoch'>): string | null {
  return epoch === null ? null : sessionId;
}

/** Throws `stale_session` when another session holds the agent. Answers whether the session is open. */
async function assertCurrent(read: Read, caller: Caller, standing: Standing | undefined): Promise<boolean> {
  if (caller.epoch === null) return true;
  const session = standing?.session;
  if (session !== undefined && session.agentEpoch === session.epoch && session.endReason !== 'left') return session.endedAt === null;
  throw await staleSession(read, caller, session?.agentId ?? caller.agentId);
}

async function staleSession(read: Read, caller: Caller, agentId: string): Promise<HubError> {
  const agent = await findAgent(read, agentId);
  if (agent !== undefined && agent.revokedAt !== null)
    return new HubError('stale_session', `${agent.name} was revoked by the operator. Nothing was changed.`, {
      hint: 'Stop acting as this agent. Call join with another name to go on under that one.',
    });
  const latest = await latestSession(read, agentId);
  const holder = latest === undefined ? 'another session' : `${latest.clientName} (${latest.id}, since ${toIso(latest.startedAt)})`;
  return new HubError('stale_session', `Another session has taken over the name ${caller.name}: ${holder}. Nothing was changed.`, {
    hint: 'Stop acting as this agent. To go on under a name of your own call join with a name; to take this one back call join with takeover: true.',
  });
}
