// Callers of the HTTP API and the event stream, which come without a session of their own. An agent's call acts in the agent's live session,
// whatever its door; where there is none it gets one, which ends after a while of silence and gives way when the agent itself arrives.
// Invariant: only sessions attached here are ended here.

import type { Caller } from '../hub/caller.ts';
import type { Hub } from '../hub/hub.ts';
import type { Bearer } from '../hub/tokens.ts';
import { API_CLIENT, type Principals } from './principals.ts';

type Visitor = { caller: Caller; calls: number; lastAt: number };
/** A caller for one request, and what to do when the request is over. */
export type Visit = { caller: Caller; leave(): void };

export class Visitors {
  readonly #hub: Hub;
  readonly #principals: Principals;
  readonly #attached = new Map<string, Visitor>();
  /** One attachment at a time per agent: the second call finds the first one's session. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Sessions with a call or stream of ours open, ours or not. */
  readonly #open = new Map<string, number>();

  constructor(hub: Hub, principals: Principals) {
    this.#hub = hub;
    this.#principals = principals;
  }

  /** `call`: something that must not be interrupted by the agent's arrival; a stream is, and resumes by itself. */
  async visit(bearer: Bearer, kind: 'call' | 'stream'): Promise<Visit> {
    if (this.#principals.isOperator(bearer)) return { caller: await this.#principals.operator(bearer), leave: () => {} };
    const caller = await this.#inTurn(bearer.agentId, () => this.#callerOf(bearer));
    const visitor = this.#attached.get(bearer.agentId);
    const counted = visitor?.caller.sessionId === caller.sessionId ? visitor : undefined;
    if (counted !== undefined && kind === 'call') counted.calls += 1;
    this.#count(caller.sessionId, 1);
    return {
      caller,
      leave: () => {
        this.#count(caller.sessionId, -1);
        if (counted === undefined) return;
        if (kind === 'call') counted.calls -= 1;
        counted.lastAt = this.#hub.context.clock.monotonic();
      },
    };
  }

  /** The agent itself arrives by another door of this process: its visiting session is over, unless a call is under way in it. */
  async giveWay(agentId: string): Promise<void> {
    const visitor = this.#attached.get(agentId);
    if (visitor === undefined || visitor.calls > 0) return;
    await this.#inTurn(agentId, () => this.#end(agentId, visitor, 'closed'));
  }

  /** Sessions whose heartbeat is to be kept. */
  sessionIds(): string[] {
    return [...this.#open.keys()];
  }

  /** Ends what has been silent. */
  async sweep(): Promise<void> {
    const now = this.#hub.context.clock.monotonic();
    for (const [agentId, visitor] of this.#attached) {
      const idle = !this.#open.has(visitor.caller.sessionId) && now - visitor.lastAt >= this.#hub.limits.silentAfterMs;
      if (idle) await this.#inTurn(agentId, () => this.#end(agentId, visitor, 'closed'));
    }
  }

  async close(): Promise<void> {
    for (const [agentId, visitor] of this.#attached) await this.#end(agentId, visitor, 'shutdown');
  }

  async #callerOf(bearer: Bearer): Promise<Caller> {
    const { sessions, context } = this.#hub;
    const live = await sessions.live(bearer.projectId, bearer.name);
    const known = this.#attached.get(bearer.agentId);
    if (live !== undefined) {
      if (known !== undefined && known.caller.sessionId !== live.sessionId) this.#attached.delete(bearer.agentId);
      if (known !== undefined) known.lastAt = context.clock.monotonic();
      return live;
    }
    const caller = await sessions.attach(await this.#principals.attachment(bearer, API_CLIENT));
    this.#attached.set(bearer.agentId, { caller, calls: 0, lastAt: context.clock.monotonic() });
    return caller;
  }

  async #end(agentId: string, visitor: Visitor, reason: 'closed' | 'shutdown'): Promise<void> {
    if (this.#attached.get(agentId) === visitor) this.#attached.delete(agentId);
    await this.#hub.sessions.end(visitor.caller, reason);
  }

  #count(sessionId: string, by: number): void {
    const open = (this.#open.get(sessionId) ?? 0) + by;
    if (open > 0) this.#open.set(sessionId, open);
    else this.#open.delete(sessionId);
  }

  async #inTurn<T>(agentId: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(agentId) ?? Promise.resolve()).then(work, work);
    this.#turns.set(agentId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(agentId) === turn) this.#turns.delete(agentId);
    }
  }
}
