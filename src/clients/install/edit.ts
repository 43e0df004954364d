// What an installation does to one file of a client: a pair of pure functions over its text. What they have in common stands here: entries of
// ours are known by what they start; an entry of the same name that is not ours is never touched.

import { HubError } from '../../hub/errors.ts';
import { startsRookery } from './program.ts';

/** The name under which clients know the hub: its tools read mcp__hub__send. */
export const SERVER = 'hub';

export type Edit = {
  readonly path: string;
  /** What of ours it holds, for the person. */
  readonly what: string;
  /** Others of this machine or of the project may read it; the client's own files are the user's alone. */
  readonly shared: boolean;
  /** Throws `conflict` where it cannot be done safely. */
  install(text: string): string;
  /** Takes out what is ours, all of it and nothing else. `original`: what was there before us, where that is known. */
  uninstall(text: string, original: string | undefined): string;
  /** Whether nothing is left worth keeping of a file that we made. */
  isEmpty(text: string): boolean;
  /** The entry of the server called hub, whoever wrote it, for files that hold servers. */
  server?(text: string): unknown;
  /** What else in the file goes before our entry, and what to do about it. */
  obstacle?(text: string): string | undefined;
  /** How many hooks of ours there are, by event, for files that hold hooks. */
  hooks?(text: string): Record<string, number>;
  /** Another program's lock on the file, if it takes one. */
  readonly lock?: string;
};

/** How the server is to be started, as far as this installation says it; the rest of an entry that is there already stays. */
export type ServerWish = {
  readonly command: string;
  /** dist/main.js and `stdio`. */
  readonly args: readonly string[];
  /** Flags of this installation, by name: --agent and its value. */
  readonly flags: Readonly<Record<string, string>>;
};

type Entry = Record<string, unknown>;

/** Whether an entry of a client's servers starts a Rookery. */
export function isOurServer(entry: unknown): boolean {
  return startsRookery(wordsOf(entry), 'stdio');
}

export function wordsOf(entry: unknown): string[] {
  const { command, args } = (entry ?? {}) as Entry;
  return [command, ...(Array.isArray(args) ? (args as unknown[]) : [])].filter((word): word is string => typeof word === 'string');
}

/** Who the agent is and what it is offered: an installation that says nothing of it leaves it as it is. */
const LASTING = ['--agent', '--role', '--toolsets'];

/** The words for an entry, with the lasting flags of the one that is there. Throws `conflict` for another's entry. */
export function serverWords(existing: unknown, wish: ServerWish, path: string, client: string): { command: string; args: string[] } {
  if (existing !== undefined && !isOurServer(existing)) {
    throw new HubError('conflict', `${path} has a server called "${SERVER}" already, and it is not Rookery; nothing was changed.`, {
      hint: `Give that one another name, or remove it, then run: rookery install ${client}`,
    });
  }
  const flags = { ...flagsOf(wordsOf(existing)), ...wish.flags };
  return { command: wish.command, args: [...wish.args, ...Object.entries(flags).flat()] };
}

function flagsOf(words: readonly string[]): Record<string, string> {
  const rest = words.slice(words.indexOf('stdio') + 1);
  const pairs = rest.flatMap((word, index) => {
    const value = rest[index + 1];
    return LASTING.includes(word) && value !== undefined ? [[word, value] as const] : [];
  });
  return words.length === 0 ? {} : Object.fromEntries(pairs);
}

/** Of the server's flags those that a hook needs to come to the same hub and project. Who the agent is, it learns from the client. */
export function hookFlags(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags)
    .filter(([name]) => name === '--home' || name === '--project')
    .flat();
}
