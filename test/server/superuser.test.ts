// The hub is served by an ordinary user: the superuser of a machine has to say that it means it (H-24).

import { expect, it } from 'vitest';
import { assertOrdinary } from '../../src/cli/serve.ts';
import { isSuperuser } from '../../src/system/superuser.ts';

const machine = (uid: number | undefined, files: Record<string, string>) =>
  isSuperuser({ uid, read: (path) => files[path], exists: (path) => path in files });

const HOST = '         0          0 4294967295\n';

it('knows the superuser of a machine from root of a container', () => {
  expect(machine(0, { '/proc/1/comm': 'systemd\n', '/proc/self/uid_map': HOST })).toBe(true);
  expect(machine(0, {})).toBe(true);
  expect(machine(1000, { '/proc/1/comm': 'systemd\n', '/proc/self/uid_map': HOST })).toBe(false);
  expect(machine(undefined, {})).toBe(false);
  expect(machine(0, { '/proc/1/comm': 'node\n', '/proc/self/uid_map': HOST })).toBe(false);
  expect(machine(0, { '/proc/1/comm': 'systemd\n', '/proc/self/uid_map': HOST, '/.dockerenv': '' })).toBe(false);
  expect(machine(0, { '/proc/1/comm': 'systemd\n', '/proc/self/uid_map': '0 1000 1\n' })).toBe(false);
});

it('refuses with the way out', () => {
  expect(() => assertOrdinary(true)).not.toThrow();
  expect(() => assertOrdinary(false)).toThrow(expect.objectContaining({ code: 'forbidden', hint: expect.stringContaining('--as-root') }));
});
