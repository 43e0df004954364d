// Whether this process runs as the superuser of its machine. Root of a container, or of a user namespace, is not that: it is confined, and often
// the only user there is.

import { existsSync, readFileSync } from 'node:fs';

export type Surroundings = {
  uid: number | undefined;
  /** The text of a file; undefined when there is none. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
};

/** What the first process of a machine is called; in a container it is whatever was started. */
const INITS = ['systemd', 'init', 'launchd', 'runit', 'openrc-init', 's6-svscan'];
const CONTAINER_MARKS = ['/.dockerenv', '/run/.containerenv'];

const real: Surroundings = {
  uid: process.getuid?.(),
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  exists: existsSync,
};

export function isSuperuser({ uid, read, exists }: Surroundings = real): boolean {
  if (uid !== 0) return false;
  const first = read('/proc/1/comm')?.trim();
  if (first === undefined) return true; // no /proc: macOS has no containers
  const mapped = read('/proc/self/uid_map')?.trim().split(/\s+/);
  const isNamespace = mapped !== undefined && mapped[0] === '0' && mapped[1] !== '0';
  return INITS.includes(first) && !isNamespace && !CONTAINER_MARKS.some((path) => exists(path));
}
