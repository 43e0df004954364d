// The tools that one client is offered: those of its toolsets, without those that are switched off for it. Who it is may become known after it asked for
// the list, and what is switched off may change: then it is told that its list is another, once, and asks again.

import type { Hub } from '../hub/hub.ts';
import { isAmong, offFor } from '../hub/tools-off.ts';
import { makeCatalogue } from '../tools/catalogue.ts';
import type { Connection } from '../tools/connection.ts';
import type { Toolset } from '../tools/toolsets.ts';

export class ToolsOffered {
  readonly #all;
  #party: { hub: Hub; connection: Connection } | undefined;
  /** The names that the client was told last, and not told to ask for again. */
  #told: string | undefined;
  /** What was off when that was last compared: every call looks, and as long as it is the same list there is nothing to compare. */
  #compared: readonly string[] | undefined;
  #tell: (() => void) | undefined;

  constructor(toolsets: readonly Toolset[]) {
    this.#all = makeCatalogue().tools.filter(({ toolset }) => toolsets.includes(toolset));
  }

  /** All of them, whatever is switched off: what is called by such a name is answered, if only by why not. */
  get names(): string[] {
    return this.#all.map(({ name }) => name);
  }

  has(tool: string): boolean {
    return this.#all.some(({ name }) => name === tool);
  }

  knows(hub: Hub, connection: Connection): void {
    this.#party = { hub, connection };
  }

  /** How the client is told that its list changed. The first one asked does it. */
  whenChanged(tell: () => void): void {
    this.#tell ??= tell;
  }

  /** As a list in JSON. */
  list(): string {
    const on = this.#on();
    this.#compared = this.#off();
    this.#told = namesOf(on);
    return `[${on.map(({ json }) => json).join(',')}]`;
  }

  /** Tells the client if its list is another by now. */
  look(): void {
    if (this.#told === undefined) return;
    const off = this.#off();
    if (off === this.#compared) return;
    this.#compared = off;
    if (this.#told === namesOf(this.#on())) return;
    this.#told = undefined;
    this.#tell?.();
  }

  #on() {
    const off = this.#off();
    return off === undefined ? this.#all : this.#all.filter(({ name }) => !isAmong(off, name));
  }

  /** Undefined while it is not known who the client is. */
  #off(): readonly string[] | undefined {
    if (this.#party === undefined) return undefined;
    const { hub, connection } = this.#party;
    const party = connection.current ?? (connection.attachment && { projectId: connection.attachment.project.id });
    return party && offFor(hub.context, party);
  }
}

function namesOf(tools: readonly { name: string }[]): string {
  return tools.map(({ name }) => name).join();
}
