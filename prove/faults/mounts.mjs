// File systems of the fault proofs: an ext4 in a file, whose power can be cut, and a small one in memory, which fills up. Linux and root only.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** EXT4_IOC_SHUTDOWN = _IOR('X', 125, __u32) with NOLOGFLUSH (linux/ext4.h): everything that was not synced is gone at once. */
const CUT = "import fcntl,os,struct,sys\nfd=os.open(sys.argv[1],os.O_RDONLY)\nfcntl.ioctl(fd,0x8004587d,struct.pack('I',2))";

/**
 * An ext4 on a loop device. `cut` is the power cut; `restore` mounts what the disk then holds, replaying its journal. The device is its own from
 * beginning to end: one that `mount -o loop` takes anew for each mount may, in between, be given to a disk of a proof beside it.
 */
export function powerDisk({ megabytes = 96 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-disk-'));
  const [image, at] = [join(folder, 'image'), join(folder, 'mounted')];
  mkdirSync(at);
  run('truncate', '-s', `${megabytes}M`, image);
  run('mkfs.ext4', '-q', '-F', image);
  const device = run('losetup', '--find', '--show', image).trim();
  run('mount', device, at);
  return {
    at,
    cut: () => run('python3', '-c', CUT, at),
    restore() {
      run('umount', at);
      run('mount', device, at);
    },
    done() {
      unmount(at, folder);
      run('losetup', '--detach', device);
    },
  };
}

/** A file system in memory of so many kilobytes; `resize` gives it more. */
export function smallDisk(kilobytes) {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-disk-'));
  const at = join(folder, 'mounted');
  mkdirSync(at);
  run('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=0700`, 'tmpfs', at);
  return { at, resize: (size) => run('mount', '-o', `remount,size=${size}k`, at), done: () => unmount(at, folder) };
}

function unmount(at, folder) {
  run('umount', '-l', at);
  rmSync(folder, { recursive: true, force: true });
}

function run(program, ...args) {
  return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
}
