// The doctor at the clients: for each that is on this machine, whether the hub is in its settings, whether what stands there starts in time, and
// whether the client waits as long as a tool may. Clients that are not here are one line.

import { join } from 'node:path';
import { type Client, placesOf } from '../clients/install/client.ts';
import { clients } from '../clients/install/clients.ts';
import { journalOf } from '../clients/install/installation.ts';
import { type FoundServer, installedIn, isHere } from '../clients/install/installed.ts';
import { pluginIn } from '../clients/install/plugged.ts';
import { interrupted } from '../clients/install/write-all.ts';
import type { Config } from '../config.ts';
import { LIMITS } from '../hub/limits.ts';
import { checkHooks, type Evidence } from './client-hooks.ts';
import type { Probes } from './doctor.ts';
import { type Finding, fail, ok, unknown, warn } from './finding.ts';

/** The longest wait of a tool, with room for its answer. */
const WAIT_SECONDS = LIMITS.waitMs.hard / 1000;
const NEEDED_SECONDS = WAIT_SECONDS + 10;
const START_SECONDS = 30;

/** How long clients wait for a call where nothing is said (observed; seconds). Of the others it is not known. */
const CALL_SECONDS: Readonly<Record<string, number>> = { claude: 100_000, codex: 300, gemini: 600 };

/** `evidence`: what the database knows of clients; undefined where it could not be read. */
export async function checkClients(config: Config, probes: Probes, evidence: Evidence | undefined): Promise<Finding[]> {
  const places = placesOf(probes.env, probes.userHome, config.place.workRoot);
  const here = clients.filter((client) => isHere(client, places, probes.env.PATH));
  const absent = clients.filter((client) => !here.includes(client)).map(({ title }) => title);
  const flags: Record<string, string> = config.home === join(probes.userHome, '.rookery') ? {} : { '--home': config.home };
  const findings = checkJournal(config);
  for (const client of here) {
    const found = installedIn(client, { program: probes.program, places, flags }, config.home);
    const plugged = pluginIn(client, places);
    const [server] = found.servers;
    for (const what of found.troubles) findings.push(troubled(client, what));
    for (const one of found.servers) findings.push(checkEntry(client, one));
    if (plugged !== undefined) findings.push(checkPlugin(client, plugged, server));
    if (server === undefined && plugged === undefined) {
      if (found.troubles.length === 0)
        findings.push(unknown(client.name, `${client.title} is here without the hub; rookery install ${client.name}`));
      continue;
    }
    const words = server?.words ?? ['sh', join(plugged ?? '', 'bin', 'rookery'), 'stdio'];
    if (server?.gone === undefined) findings.push(await checkStart(client, words, server, config, probes));
    if (server !== undefined) findings.push(...checkPatience(client, server, probes));
    findings.push(...checkHooks(client, found, plugged !== undefined, probes, evidence));
  }
  if (absent.length > 0) findings.push(ok('clients', `not on this machine: ${absent.join(', ')}`));
  return findings;
}

function checkJournal({ home }: Config): Finding[] {
  if (interrupted(journalOf(home)) === undefined) return [];
  const why = 'Of the settings of a client some may be new and others old.';
  return [warn('clients', 'an installation was interrupted', why, 'The next rookery install or uninstall undoes it first')];
}

function troubled({ name, title }: Client, what: string): Finding {
  return warn(name, what, `${title} may not have the hub.`, `Put it right, then: rookery install ${name}`);
}

function checkEntry({ name, title }: Client, { path, words, current, gone, record }: FoundServer): Finding {
  const written = record === undefined ? '' : `, written by version ${record.version}`;
  if (gone !== undefined) return fail(name, `${path} starts ${gone}, which is gone`, `${title} has no hub.`, `rookery install ${name}`);
  if (current) return ok(name, `the hub is in ${path}, up to date${written}`);
  return warn(
    name,
    `${path} starts ${words.slice(0, 3).join(' ')}${written}; this Rookery would write other words or hooks`,
    'It is another Rookery, or what an older one wrote.',
    `rookery install ${name} (--dry-run shows the difference)`,
  );
}

function checkPlugin({ name, title }: Client, folder: string, server: FoundServer | undefined): Finding {
  if (server === undefined) return ok(name, `the hub is in ${title} by its plug-in, ${folder}`);
  const what = `the hub is in ${title} twice: by its plug-in and in ${server.path}`;
  return warn(name, what, 'Every session starts two servers, and every hook runs twice.', `rookery uninstall ${name}`);
}

async function checkStart(
  client: Client,
  words: readonly string[],
  server: FoundServer | undefined,
  { place }: Config,
  probes: Probes,
): Promise<Finding> {
  const check = `${client.name}_server`;
  if (probes.startServer === undefined) return unknown(check, 'not tried here; rookery doctor starts it');
  const seconds = startSeconds(client, server, probes);
  const env = { ...environmentOf(client, probes), ...envOf(server) };
  const answer = await probes.startServer({ words, env, cwd: place.workRoot, limitMs: seconds * 1000 });
  if (typeof answer !== 'string')
    return ok(check, `starts and lists ${answer.tools} tools in ${answer.ms} ms; ${client.title} waits ${seconds} s`);
  return fail(check, `${words.slice(0, 3).join(' ')} ${answer}`, `${client.title} has no hub.`, `rookery install ${client.name}`);
}

/** Codex starts servers with hardly any of its environment, the others with all of it. */
function environmentOf({ name }: Client, { env }: Probes): Record<string, string> {
  const passed = name === 'codex' ? ['PATH', 'HOME', 'LANG', 'TERM', 'ROOKERY_HOME'] : Object.keys(env);
  return Object.fromEntries(passed.flatMap((key) => (env[key] === undefined ? [] : [[key, env[key]]])));
}

function envOf(server: FoundServer | undefined): Record<string, string> {
  const env = server?.entry.env;
  return env !== null && typeof env === 'object' ? Object.fromEntries(Object.entries(env).map(([key, value]) => [key, String(value)])) : {};
}

function startSeconds({ name }: Client, server: FoundServer | undefined, { env }: Probes): number {
  if (name === 'codex') return toSeconds(server?.entry.startup_timeout_sec, 1) ?? START_SECONDS;
  return (name === 'claude' ? toSeconds(env.MCP_TIMEOUT, 1000) : undefined) ?? START_SECONDS;
}

function checkPatience({ name, title }: Client, { entry, path }: FoundServer, { env }: Probes): Finding[] {
  const usual = CALL_SECONDS[name];
  if (usual === undefined) return [];
  const said = name === 'codex' ? toSeconds(entry.tool_timeout_sec, 1) : toSeconds(entry.timeout, 1000);
  const seconds = said ?? (name === 'claude' ? toSeconds(env.MCP_TOOL_TIMEOUT, 1000) : undefined) ?? usual;
  const check = `${name}_patience`;
  if (seconds >= NEEDED_SECONDS) return [ok(check, `${title} waits ${seconds} s for a call; a tool takes ${WAIT_SECONDS} s at most`)];
  const setting = name === 'codex' ? `tool_timeout_sec to ${NEEDED_SECONDS}` : `timeout to ${NEEDED_SECONDS * 1000}`;
  const why = 'A call that waits for mail is cut off, and what it was shown is shown again.';
  return [warn(check, `${title} gives up on a call after ${seconds} s`, why, `In ${path}, at the server hub: set ${setting} or more`)];
}

function toSeconds(value: unknown, perSecond: number): number | undefined {
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(number) && number > 0 ? number / perSecond : undefined;
}
