// First starts: many at once on an empty folder, and ones that are killed at any instant. Afterwards one hub is there, whole.

import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { chance, openHub, PACKAGE, PROJECT, pause, scratch } from './hub.mjs';
import { startServer } from './stdio-raw.mjs';

/** `count` servers on an empty folder at once: all answer, all name the same instance. */
export async function proveFirstStarts({ count, root = PACKAGE }) {
  const { folder: home, done } = scratch({ inMemory: true });
  const bad = [];
  const since = performance.now();
  try {
    const servers = Array.from({ length: count }, (_, index) => startServer(home, `first-${index}`, { root }));
    const identities = await Promise.all(
      servers.map(async (server) => {
        try {
          await server.initialize();
          const { hub, name } = await server.call('whoami');
          await server.call('send', { to: 'operator', body: `${name} is here` });
          return hub.instance_id;
        } catch (error) {
          bad.push(error.message);
          return undefined;
        }
      }),
    );
    const seconds = (performance.now() - since) / 1000;
    const instances = new Set(identities.filter((identity) => identity !== undefined));
    if (instances.size !== 1) bad.push(`${instances.size} instance ids`);
    await Promise.all(servers.map((server) => server.close()));
    bad.push(...(await soundness(home)));
    return { checked: count, bad, note: `one instance id, all up in ${seconds.toFixed(1)} s` };
  } finally {
    done();
  }
}

/** Kills `count` first starts, each at a random instant, then starts again: it must come up clean and accept a message. */
export async function proveKilledStarts({ count, seed, root = PACKAGE }) {
  const luck = chance(seed);
  const bad = [];
  const seen = new Map();
  for (let round = 0; round < count; round++) {
    const { folder: home, done } = scratch({ inMemory: true });
    try {
      const victim = startServer(home, 'victim', { root });
      victim
        .initialize()
        .then(() => victim.call('whoami'))
        .catch(() => {}); // it is about to be killed
      await reached(home, luck);
      victim.kill();
      await victim.ended;
      const state = stateOf(home);
      seen.set(state, (seen.get(state) ?? 0) + 1);
      const server = startServer(home, 'victim', { root });
      await server.initialize();
      await server.call('send', { to: 'operator', body: 'up again' });
      await server.close();
      bad.push(...(await soundness(home)));
    } catch (error) {
      bad.push(`round ${round}: ${error.message}`);
    } finally {
      done();
    }
  }
  return { checked: count, bad, note: `found after the kill: ${[...seen].map(([state, n]) => `${n} ${state}`).join(', ')}` };
}

/** Waits until the database file appears, then a little longer: the interesting instants are the few milliseconds after that. */
async function reached(home, luck) {
  const deadline = performance.now() + 5_000;
  const early = luck.next() < 0.2;
  if (early) return await pause(luck.next() * 200);
  while (performance.now() < deadline) {
    try {
      readFileSync(`${home}/hub.db`);
      break;
    } catch {
      await pause(0);
    }
  }
  await pause(luck.next() * (luck.next() < 0.5 ? 20 : 200));
}

function stateOf(home) {
  try {
    const db = new Database(`${home}/hub.db`, { fileMustExist: true });
    const version = db.pragma('user_version', { simple: true });
    const projects = version === 0 ? 0 : db.prepare('SELECT COUNT(*) FROM projects').pluck().get();
    const agents = version === 0 ? 0 : db.prepare('SELECT COUNT(*) FROM agents').pluck().get();
    db.close();
    return version === 0 ? 'without schema' : projects === 0 ? 'without project' : agents < 2 ? 'half a project' : 'complete';
  } catch {
    return 'without file';
  }
}

/** Integrity, chain, and the standing principals. */
async function soundness(home) {
  const hub = await openHub(home);
  const bad = (await hub.verify()).flatMap(({ problems }) => problems);
  const rows = await hub.context.db.read((read) => read.all('PRAGMA integrity_check'));
  if (rows[0]?.integrity_check !== 'ok') bad.push(`integrity_check: ${rows[0]?.integrity_check}`);
  await hub.projects.operator(PROJECT, 'cli').catch((error) => bad.push(error.message));
  await hub.close();
  return bad;
}
