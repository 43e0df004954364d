// Power cuts: senders on an ext4 whose device stops at once, without writing back anything that was not synced. What was acknowledged is
// there afterwards. The control is the same hub with synchronous=NORMAL, which must lose: a loop that cannot see a loss proves nothing.

import { once } from 'node:events';
import { chance, PACKAGE, pause } from '../hub.mjs';
import { patchedCopy } from '../patched.mjs';
import { powerDisk } from './mounts.mjs';
import { judge, stage, startSender } from './stage.mjs';

const NAMES = ['a', 'b', 'c'];

/** `cuts` power cuts on one home, each after about `runMs` of sending. */
export async function provePowerCuts({ cuts, seed, runMs = 500, root = PACKAGE }) {
  const luck = chance(seed);
  const disk = powerDisk();
  const home = await stage({ names: NAMES, at: disk.at });
  const bad = [];
  try {
    for (let cut = 0; cut < cuts; cut++) {
      const senders = NAMES.map((name, index) => startSender(home, { name, to: NAMES[(index + 1) % NAMES.length], root }));
      await Promise.all(senders.map(({ child, ended }) => Promise.race([once(child, 'message'), ended])));
      await pause(runMs * (0.5 + luck.next()));
      disk.cut();
      for (const { child } of senders) child.kill('SIGKILL');
      await Promise.all(senders.map(({ ended }) => ended));
      disk.restore();
    }
    const { bad: found, acked } = await judge(home);
    bad.push(...found);
    return { checked: acked, bad, note: `${cuts} cuts` };
  } finally {
    home.done();
    disk.done();
  }
}

/** The same with every sync left out of a commit: at least one acknowledged message must be lost. */
export async function controlPowerCuts({ cuts, seed }) {
  const copy = patchedCopy('store/sqlite.js', [["this.#synchronize(relaxed ? 'NORMAL' : 'FULL')", "this.#synchronize('NORMAL')"]]);
  try {
    const { bad, checked } = await provePowerCuts({ cuts, seed, root: copy.root });
    const lost = bad.filter((sentence) => sentence.startsWith('I1:'));
    return {
      checked,
      bad: lost.length > 0 ? [] : ['with synchronous=NORMAL nothing was lost: this loop would not see a loss'],
      note: `${cuts} cuts with synchronous=NORMAL; it loses, as it must`,
    };
  } finally {
    copy.done();
  }
}
