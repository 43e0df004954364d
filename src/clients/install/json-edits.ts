// The edits of clients whose settings are JSON: the entry of the server, the hooks, the rule that lets its tools be called.

import { isDeepStrictEqual } from 'node:util';
import { isOurServer, SERVER, type ServerWish, serverWords } from './edit.ts';
import { appendAt, type JsonPath, removeAt, setAt, valueAt } from './json-text.ts';
import { shellWords, startsRookery } from './program.ts';

type Entry = Record<string, unknown>;
type Group = { hooks?: unknown; matcher?: unknown };
export type HookSettings = Record<string, readonly Group[]>;

/** Puts the server in below `members` (mcpServers, servers). `more`: what the client's entries have beside the words. */
export function withServer(text: string, members: string, wish: ServerWish, more: Entry, path: string, client: string): string {
  const at = [members, SERVER];
  const existing = valueAt(text, at, path);
  const { type, ...rest } = more;
  const entry = { ...(type === undefined ? {} : { type }), ...serverWords(existing, wish, path, client), ...rest };
  if (existing === undefined) return setAt(text, at, entry, path);
  // Member by member, so that what somebody added to it stays.
  return Object.entries(entry).reduce((edited, [key, value]) => setAt(edited, [...at, key], value, path), text);
}

export function withoutServer(text: string, members: string, path: string, original: string | undefined): string {
  if (!isOurServer(valueAt(text, [members, SERVER], path))) return text;
  return pruned(removeAt(text, [members, SERVER], path), [members], path, original);
}

/** Puts the hooks in: groups of ours are replaced where they stand, because Codex trusts a hook by its place in the list. */
export function withHooks(text: string, wanted: HookSettings, path: string): string {
  let edited = text;
  const events = new Set([...Object.keys(wanted), ...Object.keys(toEntry(hooksIn(text, path)))]);
  for (const event of events) {
    const groups = wanted[event] ?? [];
    const places = ownGroups(edited, event, path);
    if (places.length === groups.length && places.every(({ whole }) => whole)) {
      for (const [index, group] of groups.entries()) edited = setAt(edited, ['hooks', event, places[index]?.index ?? 0], group, path);
      continue;
    }
    edited = withoutEvent(edited, event, path, undefined);
    if (groups.length > 0 && valueAt(edited, ['hooks', event], path) === undefined) edited = setAt(edited, ['hooks', event], groups, path);
    else for (const group of groups) edited = appendAt(edited, ['hooks', event], group, path);
  }
  return edited;
}

export function withoutHooks(text: string, path: string, original: string | undefined): string {
  const events = Object.keys(toEntry(hooksIn(text, path)));
  const edited = events.reduce((rest, event) => withoutEvent(rest, event, path, original), text);
  return edited === text ? text : pruned(edited, ['hooks'], path, original);
}

/** The hooks of ours in a text, by event: how many the client will run. */
export function ownHooks(text: string, path: string): Record<string, number> {
  const events = Object.keys(toEntry(hooksIn(text, path)));
  const counts = events.map((event) => [event, ownGroups(text, event, path).flatMap(({ hooks }) => hooks).length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** Puts a word into a list unless it, or one that says the same, is there. */
export function withWord(text: string, at: readonly string[], word: string, same: readonly string[], path: string): string {
  const list = valueAt(text, at, path);
  return Array.isArray(list) && [word, ...same].some((one) => list.includes(one)) ? text : appendAt(text, at, word, path);
}

/** Takes a word out of a list, unless it was there before us. */
export function withoutWord(text: string, at: readonly string[], word: string, path: string, original: string | undefined): string {
  const list = valueAt(text, at, path);
  const index = Array.isArray(list) ? list.indexOf(word) : -1;
  const before = original === undefined ? undefined : valueAt(original, at, path);
  if (index === -1 || (Array.isArray(before) && before.includes(word))) return text;
  const edited = pruned(removeAt(text, [...at, index], path), at, path, original);
  return at.length > 1 ? pruned(edited, at.slice(0, -1), path, original) : edited;
}

export function isEmptyJson(text: string, path: string): boolean {
  return text.trim() === '' || (isDeepStrictEqual(valueAt(text, [], path), {}) && text.trim() === '{}');
}

function hooksIn(text: string, path: string): unknown {
  return valueAt(text, ['hooks'], path);
}

/** Where hooks of ours stand in an event: the group, which of its hooks, and whether it holds none of another's. */
function ownGroups(text: string, event: string, path: string): { index: number; hooks: number[]; whole: boolean }[] {
  const groups = toEntry(hooksIn(text, path))[event];
  return (Array.isArray(groups) ? (groups as Group[]) : []).flatMap((group, index) => {
    const all = Array.isArray(group?.hooks) ? (group.hooks as unknown[]) : [];
    const hooks = all.flatMap((hook, place) => (isOurHook(hook) ? [place] : []));
    return hooks.length === 0 ? [] : [{ index, hooks, whole: hooks.length === all.length }];
  });
}

/** Whether a hook of a client is one of ours. */
export function isOurHook(hook: unknown): boolean {
  const { type, command, args, server, tool } = toEntry(hook);
  if (type === 'mcp_tool') return server === SERVER && tool === 'hook';
  if (typeof command !== 'string') return false;
  const words = Array.isArray(args) ? [command, ...(args as unknown[]).map(String)] : shellWords(command);
  return startsRookery(words, 'hook') || startsRookery(words, 'rewake');
}

function withoutEvent(text: string, event: string, path: string, original: string | undefined): string {
  let edited = text;
  for (const { index, hooks, whole } of ownGroups(text, event, path).toReversed()) {
    if (whole) edited = removeAt(edited, ['hooks', event, index], path);
    else for (const hook of hooks.toReversed()) edited = removeAt(edited, ['hooks', event, index, 'hooks', hook], path);
  }
  return edited === text ? text : pruned(edited, ['hooks', event], path, original);
}

/** Without a container that is empty by our doing. */
function pruned(text: string, at: JsonPath, path: string, original: string | undefined): string {
  const value = valueAt(text, at, path);
  if (value === null || typeof value !== 'object' || Object.keys(value).length > 0) return text;
  const before = original === undefined ? undefined : valueAt(original, at, path);
  return before === undefined ? removeAt(text, at, path) : text;
}

function toEntry(value: unknown): Entry {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Entry) : {};
}
