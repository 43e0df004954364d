// A connection: one client at one front door, and who it is. It becomes an agent when it first needs to be one, so that a client that only
// probes the server never appears as present. After `join` it is somebody else.

import type { Caller } from '../hub/caller.ts';
import type { Intent } from '../hub/command.ts';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { JoinRequest } from '../hub/joining.ts';
import type { Attachment } from '../hub/sessions.ts';
import type { Toolset } from './tool.ts';

export class Connection {
  readonly #hub: Hub;
  /** The tools this connection offers, by set. */
  readonly toolsets: readonly Toolset[];
  #attachment: Attachment | undefined;
  #caller: Promise<Caller> | undefined;
  #current: Caller | undefined;
  /** Becoming present takes a moment, in which the first call may come. */
  #presenting: Promise<void> | undefined;

  private constructor(hub: Hub, toolsets: readonly Toolset[], attachment: Attachment | undefined, caller: Caller | undefined) {
    this.#hub = hub;
    this.toolsets = toolsets;
    this.#attachment = attachment;
    this.#caller = caller && Promise.resolve(caller);
    this.#current = caller;
  }

  /** A client that will attach as described. */
  static attaching(hub: Hub, attachment: Attachment, toolsets: readonly Toolset[]): Connection {
    return new Connection(hub, toolsets, attachment, undefined);
  }

  /** A principal that needs no session: the operator, or a session that already exists. */
  static fixed(hub: Hub, caller: Caller, toolsets: readonly Toolset[]): Connection {
    return new Connection(hub, toolsets, undefined, caller);
  }

  /** Nobody yet: a client of which only its hooks are heard. */
  static nobody(hub: Hub, toolsets: readonly Toolset[]): Connection {
    return new Connection(hub, toolsets, undefined, undefined);
  }

  /** One call in a session that exists already, for an agent that could attach by itself: it may do what it may in a session of its own. */
  static borrowing(hub: Hub, caller: Caller, attachment: Attachment, toolsets: readonly Toolset[]): Connection {
    return new Connection(hub, toolsets, attachment, caller);
  }

  get attachment(): Attachment | undefined {
    return this.#attachment;
  }

  /** Who this is so far; undefined before the first call. */
  get current(): Caller | undefined {
    return this.#current;
  }

  /** Learns the client's own session, where nothing told it before (Codex tells it with each call, the first of which may come after attaching). */
  async learnClientKey(key: string): Promise<void> {
    const attachment = this.#attachment;
    if (attachment === undefined || attachment.client.key !== undefined) return;
    if (this.#caller === undefined) this.#attachment = { ...attachment, client: { ...attachment.client, key } };
    else await this.follow(key);
  }

  /** Becomes present without having been called, if nobody else holds the agent. */
  async present(): Promise<void> {
    const attachment = this.#attachment;
    if (attachment === undefined || this.#caller !== undefined) return;
    this.#presenting ??= this.#becomePresent(attachment).finally(() => {
      this.#presenting = undefined;
    });
    await this.#presenting;
  }

  async #becomePresent(attachment: Attachment): Promise<void> {
    const caller = await this.#hub.sessions.attach({ ...attachment, yields: true });
    this.#caller = Promise.resolve(caller);
    this.#current = caller;
    // The client's own session may have been learned meanwhile.
    if (this.#attachment !== undefined && this.#attachment.client.key !== attachment.client.key)
      await this.#hub.sessions.follow(caller, this.#attachment);
  }

  /**
   * The client is in the session `key` of its own, as its hook told: present from now on; and where that is another session than before,
   * still the same agent, or the one that session was. A session that was ended while its client lives goes on.
   */
  async follow(key: string): Promise<void> {
    const attachment = this.#attachment;
    if (attachment === undefined) return;
    const isNew = attachment.client.key !== key;
    this.#attachment = { ...attachment, client: { ...attachment.client, key } };
    if (this.#caller === undefined) return await this.present();
    const caller = await this.caller();
    // A name that `join` gave belongs to the conversation it was given in.
    const name = attachment.nameByArgument === true ? undefined : attachment.name;
    const next = isNew ? await this.#hub.sessions.follow(caller, { ...this.#attachment, name }) : caller;
    if (next.agentId !== caller.agentId) this.#attachment = { ...this.#attachment, name };
    this.#caller = Promise.resolve(next);
    this.#current = next;
    await this.#hub.sessions.revive(next);
  }

  /** Who calls: attaches on first use. A refusal (a busy name) is not remembered: the next call tries again. */
  async caller(): Promise<Caller> {
    // Attaching twice at once, the second would find the name held by the first. Whether that one was refused, the attempt below says.
    if (this.#caller === undefined) await this.#presenting?.catch(() => {});
    if (this.#caller === undefined) {
      if (this.#attachment === undefined) throw new Error('a connection without identity');
      this.#caller = this.#hub.sessions.attach(this.#attachment);
    }
    try {
      this.#current = await this.#caller;
      return this.#current;
    } catch (error) {
      this.#caller = undefined;
      throw error;
    }
  }

  /** Who calls, or undefined while attaching is refused: `join` is the way out of that. */
  async callerUnlessRefused(): Promise<Caller | undefined> {
    return await this.caller().catch(() => undefined);
  }

  /** `join`: changes who this connection is, or its card. It also works when the name was busy or has been taken over. */
  async join(request: JoinRequest, intent: Intent): Promise<{ caller: Caller; previousName: string; replayed: boolean }> {
    const attachment = this.#attachment;
    if (attachment === undefined)
      throw new HubError('forbidden', 'This principal has no session and cannot join.', {
        hint: 'Agents join; the operator acts as it is.',
      });
    const before = await this.callerUnlessRefused();
    const holder = before !== undefined && (await this.#hub.sessions.holds(before)) ? before : await this.#reattach(attachment, request);
    const joined = await this.#hub.joining.join(holder, this.#attachment ?? attachment, request, intent);
    this.#become(joined.caller, joined.caller.name);
    return { ...joined, previousName: before?.name ?? joined.previousName };
  }

  async #reattach(attachment: Attachment, request: JoinRequest): Promise<Caller> {
    const renamed = request.name !== undefined && request.name !== attachment.name;
    if (renamed && attachment.door === 'http') {
      throw new HubError('forbidden', 'This session has its name by its credential and cannot take another.', {
        hint: 'Call join with takeover: true, or ask the operator for another token.',
      });
    }
    const next = {
      ...attachment,
      ...(renamed ? { name: request.name, nameByArgument: true, enrol: undefined } : {}),
      takeover: request.takeover,
    };
    const caller = await this.#hub.sessions.attach(next);
    this.#become(caller, next.name);
    return caller;
  }

  #become(caller: Caller, name: string | undefined): void {
    // An enrolment speaks for the agent it enrolled, and for no other that this client becomes.
    const isSame = this.#current?.agentId === caller.agentId;
    this.#caller = Promise.resolve(caller);
    this.#current = caller;
    if (this.#attachment === undefined || name === undefined || name === this.#attachment.name) return;
    this.#attachment = { ...this.#attachment, name, nameByArgument: true, enrol: isSame ? this.#attachment.enrol : undefined };
  }

  /** The session is over, if it ever began. */
  async end(reason: 'closed' | 'shutdown', unlessHeardAt?: number): Promise<void> {
    const caller = this.#current;
    if (caller !== undefined) await this.#hub.sessions.end(caller, reason, unlessHeardAt);
  }
}
