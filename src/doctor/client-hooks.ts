// The doctor at the hooks of a client: whether they are there, whether the client runs them, whether the hub hears them, and whether an agent
// was ever woken by what they open.

import { join } from 'node:path';
import { type Client, placesOf } from '../clients/install/client.ts';
import { untrusted } from '../clients/install/codex-trust.ts';
import type { Installed } from '../clients/install/installed.ts';
import { isOurHook } from '../clients/install/json-edits.ts';
import { valueAt } from '../clients/install/json-text.ts';
import { readTextFile } from '../clients/install/text-file.ts';
import { parsedToml } from '../clients/install/toml-text.ts';
import { toIso } from '../hub/clock.ts';
import type { HookEvidence } from '../store/client-evidence.ts';
import type { Probes } from './doctor.ts';
import { type Finding, ok, unknown, warn, wordsOf } from './finding.ts';

/** What the database knows of clients. */
export type Evidence = {
  /** By how the keys of a client's sessions begin. */
  hooks: Readonly<Record<string, HookEvidence>>;
  doors: readonly { kind: string; open: number; provenAt: number | null }[];
};

type Hooked = { prefix: string; doors: readonly string[]; remedy: string };

/** The clients that have hooks. */
const HOOKED: Readonly<Record<string, Hooked>> = {
  claude: {
    prefix: 'claude:',
    doors: ['monitor', 'async_rewake', 'messaging_socket', 'channel'],
    remedy: 'Start a new session; claude --debug hooks tells what becomes of them',
  },
  codex: { prefix: 'codex:', doors: ['codex_queue'], remedy: 'Start codex and look at its hooks: /hooks' },
};

export const SESSION_PREFIXES: readonly string[] = Object.values(HOOKED).map(({ prefix }) => prefix);

/** `plugged`: they come with the plug-in. `evidence`: undefined where the database could not be read. */
export function checkHooks(client: Client, found: Installed, plugged: boolean, probes: Probes, evidence: Evidence | undefined): Finding[] {
  const hooked = HOOKED[client.name];
  if (hooked === undefined) return [];
  if (found.hooks.length === 0 && !plugged) {
    const why = 'Its agents hear of mail with their next call only, and are not woken.';
    return [warn(`${client.name}_hooks`, `${client.title} has no hooks of the hub`, why, `rookery install ${client.name}`)];
  }
  const [one, other] = found.hooks;
  if (one !== undefined && other !== undefined) {
    const what = `${client.title} has the hooks twice, in ${one.path} and in ${other.path}`;
    const fix = `rookery uninstall ${client.name} --scope project`;
    return [warn(`${client.name}_hooks`, what, 'Each of them runs twice, and says everything twice.', fix)];
  }
  return [...checkTrust(client, found, probes), checkHeard(client, hooked, found, evidence), ...checkWaking(client, hooked, evidence)];
}

function checkHeard({ name }: Client, { prefix, remedy }: Hooked, { hooks }: Installed, evidence: Evidence | undefined): Finding {
  const check = `${name}_hooks`;
  const heard = evidence?.hooks[prefix];
  if (heard === undefined) return unknown(check, 'none was heard yet: the database is not there, or could not be read');
  const since = Math.max(0, ...hooks.map(({ installedAt }) => installedAt ?? 0));
  const kinds = { 'session start': heard.startAt, tool: heard.toolAt, 'end of turn': heard.stopAt, any: heard.anyAt };
  const last = Object.entries(kinds).flatMap(([kind, at]) => (at === null ? [] : [`${kind} ${toIso(at)}`]));
  if (Math.max(heard.startAt ?? 0, heard.anyAt ?? 0) > since) return ok(check, `heard last: ${last.join(', ')}`);
  if (heard.sessionAt === null || heard.sessionAt < since) return unknown(check, 'no session has come since they were installed');
  const what = `never heard since they were installed at ${toIso(since)}, though a session came at ${toIso(heard.sessionAt)}`;
  return warn(check, what, 'Agents are not told of their mail, nor woken.', remedy);
}

function checkTrust({ name }: Client, { hooks }: Installed, { userHome, env }: Probes): Finding[] {
  if (name !== 'codex' || hooks.length === 0) return [];
  const check = `${name}_trust`;
  const config = join(placesOf(env, userHome, '').codexFolder, 'config.toml');
  try {
    const known = parsedToml(readTextFile(config).text, config);
    const waiting = hooks.flatMap(({ path, text }) => untrusted(known, path, valueAt(text, ['hooks'], path), isOurHook));
    if (waiting.length === 0) return [ok(check, 'Codex was shown every hook of the hub, as it is')];
    return [
      warn(
        check,
        `Codex was not shown, or not since it changed: ${[...new Set(waiting)].join(', ')}`,
        'It runs no hook that its user has not looked at, and codex exec says nothing about it.',
        'Start codex and choose "Trust all and continue", or /hooks',
      ),
    ];
  } catch (error) {
    return [unknown(check, wordsOf(error))];
  }
}

function checkWaking({ name, title }: Client, { doors }: Hooked, evidence: Evidence | undefined): Finding[] {
  if (evidence === undefined) return [];
  const check = `${name}_wake`;
  const known = evidence.doors.filter(({ kind }) => doors.includes(kind));
  const [best] = known.filter(({ provenAt }) => provenAt !== null).sort((a, b) => (b.provenAt ?? 0) - (a.provenAt ?? 0));
  if (best !== undefined) return [ok(check, `last woken and read: by ${best.kind}, ${toIso(best.provenAt ?? 0)}`)];
  const open = known.filter((door) => door.open > 0).map(({ kind }) => kind);
  const what = open.length === 0 ? `nothing that wakes ${title} was opened yet` : `not proven yet; open: ${open.join(', ')}`;
  return [unknown(check, `${what}; to prove it: rookery send --to NAME "hello", while that session is idle`)];
}
