// What of ours is in the settings of a client: read, never written. For the doctor, which has to say what is there, whether it is what this
// Rookery would write, and whether it leads anywhere.

import { existsSync } from 'node:fs';
import type { Client, Places, Scope, Wish } from './client.ts';
import { SCOPES } from './client.ts';
import { isOurServer, wordsOf } from './edit.ts';
import { planInstall } from './installation.ts';
import type { Program } from './program.ts';
import { type InstallRecord, readRecord } from './records.ts';
import { readTextFile } from './text-file.ts';

export type FoundServer = {
  scope: Scope;
  path: string;
  /** The words that start it. */
  words: readonly string[];
  /** The entry as it stands, with the client's own limits in it. */
  entry: Record<string, unknown>;
  /** It is what this Rookery would write. */
  current: boolean;
  /** A word of it that is a path and leads nowhere. */
  gone: string | undefined;
  record: InstallRecord | undefined;
};

export type FoundHooks = { path: string; text: string; counts: Readonly<Record<string, number>>; installedAt: number | undefined };

export type Installed = { servers: FoundServer[]; hooks: FoundHooks[]; troubles: string[] };

/** Whether there is anything of this client on this machine. `searchPath`: PATH. */
export function isHere(client: Client, places: Places, searchPath: string | undefined): boolean {
  const { paths, program } = client.traces(places);
  const folders = (searchPath ?? '').split(':').filter((folder) => folder.startsWith('/'));
  return [...paths, ...folders.map((folder) => `${folder}/${program}`)].some((path) => existsSync(path));
}

/** Reads the settings of a client, for the user and for the project. What cannot be read is a trouble, in a sentence. */
export function installedIn(client: Client, wish: Omit<Wish, 'scope' | 'allowTools'>, home: string): Installed {
  const found: Installed = { servers: [], hooks: [], troubles: [] };
  for (const scope of SCOPES) {
    const whole: Wish = { ...wish, scope, allowTools: true };
    const current = [true, false].some((allowTools) => isCurrent(client, { ...whole, allowTools }, home));
    for (const edit of client.edits(whole)) {
      try {
        const { text, target, bytes } = readTextFile(edit.path);
        if (bytes === undefined) continue;
        const record = readRecord(home, target);
        const entry = edit.server?.(text);
        if (entry !== undefined && isOurServer(entry)) {
          const words = wordsOf(entry);
          const gone = words.slice(0, words.indexOf('stdio')).find((word) => word.startsWith('/') && !existsSync(word));
          found.servers.push({ scope, path: edit.path, words, entry: entry as Record<string, unknown>, current, gone, record });
        } else if (entry !== undefined) found.troubles.push(`${edit.path} has a server called hub that is not Rookery`);
        const obstacle = edit.obstacle?.(text);
        if (obstacle !== undefined) found.troubles.push(obstacle);
        const counts = edit.hooks?.(text) ?? {};
        if (Object.keys(counts).length > 0) found.hooks.push({ path: target, text, counts, installedAt: record?.installedAt });
      } catch (error) {
        found.troubles.push(error instanceof Error ? error.message : `${edit.path} cannot be read`);
      }
    }
  }
  return found;
}

function isCurrent(client: Client, wish: Wish, home: string): boolean {
  try {
    return planInstall([{ client, wish }], home).steps.every(({ act }) => act === 'none');
  } catch {
    return false;
  }
}

/** The words of a server's entry that say which Rookery it starts; undefined for another form. */
export function programIn(words: readonly string[]): Program | undefined {
  const [node, main] = words;
  return node !== undefined && main !== undefined && words[2] === 'stdio' ? { node, main } : undefined;
}
