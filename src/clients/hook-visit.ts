// The visit that a hook pays to the hub: which project and which agent its client is, and the call of the tool `hook` as that agent. Who it is comes
// from what the client says of its own session, never from what a model says (C15): the session that a server of the client attached under.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Hub } from '../hub/hub.ts';
import { existingFolder, type HubFiles } from '../hub-home.ts';
import { openAsGuest } from '../open-guest.ts';
import { findPlace, givenPlace, type Place } from '../project-root.ts';
import { systemHost } from '../system/host.ts';
import { callTool } from '../tools/call.ts';
import { Connection } from '../tools/connection.ts';
import { hook } from '../tools/hook.ts';
import { type HookWords, readHookWords } from '../tools/hook-words.ts';
import { DEFAULT_TOOLSETS } from '../tools/toolsets.ts';

export type HookFlags = { client?: string; home?: string; project?: string; within?: string };

/** The process that visits: its surroundings, and the process that started it. */
export type Visitor = { env: NodeJS.ProcessEnv; cwd: string; parent: number };

export type Call = { event: string; flags: HookFlags; files: HubFiles; said: Record<string, unknown> };

const KEY_CHARS = 128;
/** What is of use to an agent whose session is not open: it is about to begin. */
const BEFORE_SESSION: readonly string[] = ['SessionStart', 'UserPromptSubmit'];

/** Answers the hook's output, or undefined when there is nothing to say. `drop` is told what could not be told to the hub. */
export async function visitHub(visitor: Visitor, call: Call, drop: (why: string) => void): Promise<string | undefined> {
  const said = { ...call.said, client: call.flags.client, at: systemHost.startedAt };
  if (call.event !== '') Object.assign(said, { hook_event_name: call.event });
  const words = readHookWords(said);
  const session = textOf(call.said.session_id);
  if (session === '' || session.length > KEY_CHARS) return undefined;
  const folder = folderOf(visitor, words);
  const place = placeOf(call.flags.project ?? visitor.env.ROOKERY_PROJECT, folder, call.files.home);
  const config = await configIfAny(visitor, call, place, folder, words.event);
  const hub = await openAsGuest(call.files, config);
  try {
    const key = `${words.client}:${session}`;
    return await visit(hub, { place: config?.place ?? place, key, pid: clientPid(visitor, words), words, config, said }, drop);
  } finally {
    await hub.close();
  }
}

type Visit = {
  place: Place;
  key: string;
  pid: number | undefined;
  words: HookWords;
  config: Config | undefined;
  said: unknown;
};

async function visit(hub: Hub, { place, key, pid, words, config, said }: Visit, drop: (why: string) => void): Promise<string | undefined> {
  const { event, reason } = words;
  if (event === 'SessionStart' && pid !== undefined) await hub.clientProcesses.record(place.project.id, pid, key);
  // First: a server that sees its session end while its client is known to live takes that for a mistake, and goes on.
  if (event === 'SessionEnd' && pid !== undefined && reason !== 'clear' && reason !== 'resume') await hub.clientProcesses.forget(pid);
  const found = await hub.clientProcesses.heardFrom(place.project.id, key);
  let answer: string | undefined;
  if (found !== undefined && (found.isOpen || BEFORE_SESSION.includes(event))) {
    const reply = await callTool(hub, Connection.fixed(hub, found.caller, config?.toolsets ?? DEFAULT_TOOLSETS), hook, said);
    if (!reply.ok) drop(reply.error.code);
    else if (reply.text !== '{}') answer = reply.text;
  }
  return answer;
}

/** Claude Code tells its servers and its hooks the folder of the session, from which its model may walk away; Codex starts both there. */
function folderOf({ env, cwd }: Visitor, words: HookWords): string {
  return (words.client === 'claude' ? existingFolder(env.CLAUDE_PROJECT_DIR) : undefined) ?? existingFolder(words.cwd) ?? cwd;
}

/** A Claude Code is a process of its own. A daemon of Codex runs many sessions: its servers learn from each call whose it is. */
function clientPid({ env, parent }: Visitor, { client }: HookWords): number | undefined {
  return client === 'claude' ? Number(env.CLAUDE_PID) || parent : undefined;
}

function placeOf(given: string | undefined, folder: string, home: string): Place {
  return given === undefined || given === '' ? findPlace(folder, home) : givenPlace(given, folder, home);
}

/** The whole configuration, where anything is configured that matters to a hook: it takes a while to read. */
async function configIfAny(
  { env }: Visitor,
  { files: { home }, flags }: Call,
  { project, workRoot }: Place,
  folder: string,
  event: string,
): Promise<Config | undefined> {
  const places = [home, join(workRoot, '.rookery'), join(project.root, '.rookery')];
  const isConfigured = places.some((place) => existsSync(join(place, 'config.json')));
  if (!isConfigured && !env.ROOKERY_DATABASE_URL && (event !== 'SessionStart' || env.ROOKERY_TOOLSETS === undefined)) return undefined;
  const { readConfig } = await import('../config.ts');
  // The folder has been chosen; the environment must not choose another.
  const { CLAUDE_PROJECT_DIR: _chosen, ...rest } = env;
  return readConfig({ env: rest, cwd: folder, flags: { home, project: flags.project } });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
