// A process that is killed between two writes: the files of a client are all as they were, or all as they are to be, never half.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { journalOf } from '../../src/clients/install/installation.ts';
import { interrupted, undoInterrupted } from '../../src/clients/install/write-all.ts';
import { built } from '../server/http-process.ts';
import { refused } from '../support/acts.ts';
import { acts, desk } from './desk.ts';

const CONFIG = 'model = "x"\n';
const HOOKS = '{ "hooks": { "Stop": [{ "hooks": [{ "type": "command", "command": "beep" }] }] } }\n';

/** Installs into Codex in a process of its own, which kills itself before its step of that number. */
function installKilledAt(step: number, { home, hub, project }: ReturnType<typeof desk>) {
  const modules = join(built(), '..', '..', 'build', 'clients', 'install');
  const script = `
    const { clients } = await import(${JSON.stringify(join(modules, 'clients.js'))});
    const { placesOf } = await import(${JSON.stringify(join(modules, 'client.js'))});
    const { carryOut, planInstall } = await import(${JSON.stringify(join(modules, 'installation.js'))});
    const [home, hub, project] = ${JSON.stringify([home, hub, project])};
    let steps = 0;
    const step = () => { if (steps++ === ${step}) process.kill(process.pid, 'SIGKILL'); };
    const wish = { program: { node: '/usr/bin/node', main: '/opt/rookery/dist/main.js' }, scope: 'user', places: placesOf({}, home, project, 'linux'), flags: {}, allowTools: true };
    const wished = clients.filter(({ name }) => name === 'codex').map((client) => ({ client, wish }));
    await carryOut(planInstall(wished, hub), 'install', { home: hub, backupDir: hub + '/backups', now: Date.now(), version: '1', pid: process.pid, isAlive: () => false, sleep: async () => {}, step });
  `;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

it('leaves all or none, wherever it was killed', async () => {
  const finished = desk();
  finished.put('.codex/config.toml', CONFIG);
  finished.put('.codex/hooks.json', HOOKS);
  expect(installKilledAt(1_000, finished)).toMatchObject({ status: 0, stderr: '' });
  const after = [finished.text('.codex/config.toml'), finished.text('.codex/hooks.json')];
  let killed = 0;
  for (let step = 0; ; step++) {
    const machine = desk();
    machine.put('.codex/config.toml', CONFIG);
    machine.put('.codex/hooks.json', HOOKS);
    const { signal } = installKilledAt(step, machine);
    if (signal === null) break;
    killed += 1;
    for (const [index, file] of ['.codex/config.toml', '.codex/hooks.json'].entries())
      expect([[CONFIG, HOOKS][index], after[index]]).toContain(machine.text(file));
    const journal = journalOf(machine.hub);
    expect(interrupted(journal)?.entries).toHaveLength(4);
    expect(undoInterrupted({ ...machine.around, journal })).toHaveLength(4);
    expect([machine.text('.codex/config.toml'), machine.text('.codex/hooks.json')]).toEqual([CONFIG, HOOKS]);
    expect(readdirSync(join(machine.home, '.codex')).sort()).toEqual(['config.toml', 'hooks.json']);
    expect(acts(await machine.install(['codex']))).toEqual(['change', 'change']);
    await machine.uninstall(['codex']);
    expect([machine.text('.codex/config.toml'), machine.text('.codex/hooks.json')]).toEqual([CONFIG, HOOKS]);
  }
  expect(killed).toBe(9);
});

it('is undone by the next installation, but never over somebody’s words', async () => {
  const machine = desk();
  machine.put('.codex/config.toml', CONFIG);
  machine.put('.codex/hooks.json', HOOKS);
  installKilledAt(6, machine);
  machine.put('.codex/hooks.json', HOOKS.replace('beep', 'boop'));
  await machine.install(['codex']);
  await machine.uninstall(['codex']);
  expect([machine.text('.codex/config.toml'), machine.text('.codex/hooks.json')]).toEqual([CONFIG, HOOKS.replace('beep', 'boop')]);
});

it('does not get in the way of another that is being written', async () => {
  const machine = desk();
  installKilledAt(6, machine);
  const before = machine.state();
  const now = Date.now();
  await refused('unavailable', machine.install(['codex'], {}, { now, isAlive: () => true }));
  expect(machine.state()).toEqual(before);
  expect(acts(await machine.install(['codex'], {}, { now: now + 120_000, isAlive: () => true }))).not.toContain('none');
});
