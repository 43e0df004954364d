// A machine of one's own for tests of installing: a home with the settings of clients in it, a project, a hub's folder, and the acts on them.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ClientName, placesOf, type Scope, type Wish } from '../../src/clients/install/client.ts';
import { clients } from '../../src/clients/install/clients.ts';
import { carryOut, planInstall, planUninstall, type Surroundings, settle, type Written } from '../../src/clients/install/installation.ts';
import { scratch } from '../support/engines.ts';

export type Given = { scope?: Scope; flags?: Record<string, string>; allowTools?: boolean; program?: Wish['program'] };

export function desk(root = scratch()) {
  const home = join(root, 'user');
  const hub = join(root, 'hub');
  const project = join(root, 'project');
  for (const folder of [home, hub, project]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const places = placesOf({}, home, project, 'linux');
  const around: Surroundings = {
    home: hub,
    backupDir: join(hub, 'backups'),
    now: 1_800_000_000_000,
    version: '0.1.0',
    pid: process.pid,
    isAlive: () => false,
    sleep: async () => {},
  };
  const wished = (names: readonly ClientName[], given: Given) =>
    clients
      .filter(({ name }) => names.includes(name))
      .map((client) => ({
        client,
        wish: {
          program: given.program ?? { node: '/usr/bin/node', main: '/opt/my "rookery"/dist/main.js' },
          scope: given.scope ?? client.scope,
          places,
          flags: given.flags ?? {},
          allowTools: given.allowTools ?? true,
        },
      }));
  return {
    root,
    home,
    hub,
    project,
    around,
    wished,
    install: async (names: readonly ClientName[], given: Given = {}, more: Partial<Surroundings> = {}) => {
      settle({ ...around, ...more });
      return await carryOut(planInstall(wished(names, given), hub), 'install', { ...around, ...more });
    },
    uninstall: async (names: readonly ClientName[], given: Given = {}) => {
      settle(around);
      return await carryOut(planUninstall(wished(names, given), hub), 'uninstall', around);
    },
    /** Puts a file into the home, as its user had it. */
    put(path: string, text: string | Buffer, mode = 0o600) {
      const full = join(home, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text, { mode });
      return full;
    },
    text: (path: string) => readFileSync(join(home, path), 'utf8'),
    has: (path: string) => existsSync(join(home, path)),
    mode: (path: string) => statSync(join(home, path)).mode & 0o777,
    /** Every file below the home and the project, with its bytes: what a client's user would notice. */
    state: () => Object.fromEntries([home, project].flatMap((folder) => filesIn(folder).map((path) => [path, readFileSync(path, 'utf8')]))),
  };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

export function acts(written: readonly Written[]): string[] {
  return written.map(({ act }) => act);
}
