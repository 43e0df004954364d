// A disk that fills up: sends are refused as storage_full, reading goes on, nothing acknowledged is lost, and with room again the same
// processes go on without a restart.

import { once } from 'node:events';
import { readOwn } from '../history.mjs';
import { pause } from '../hub.mjs';
import { smallDisk } from './mounts.mjs';
import { judge, stage, startSender, tally } from './stage.mjs';

/** Fills a disk of `kilobytes`, waits for `refusals`, gives it four times as much, waits for `more` acknowledgements. */
export async function proveFullDisk({ kilobytes = 6_144, refusals = 50, more = 50, limitMs = 120_000 }) {
  const disk = smallDisk(kilobytes);
  const home = await stage({ names: ['a', 'b'], at: disk.at });
  try {
    const sender = startSender(home, { name: 'a', to: 'b', padding: 4_000 });
    const counted = (phase, code) =>
      readOwn(home.histories, 'a').filter((line) => line.op === 'send' && line.phase === phase && line.code === code).length;
    const until = async (what, reached) => {
      const deadline = performance.now() + limitMs;
      while (!reached()) {
        if (performance.now() > deadline) throw new Error(`not reached in ${limitMs} ms: ${what}`);
        await Promise.race([pause(100), sender.ended]);
        if (sender.child.exitCode !== null) throw new Error(`the sender ended: ${(await sender.ended).said}`);
      }
    };
    await once(sender.child, 'message');
    await until('the disk is full', () => counted('fail', 'storage_full') >= refusals);
    const reads = readOwn(home.histories, 'a').filter(({ op, phase }) => op === 'recv' && phase === 'ok').length;
    const before = counted('ok');
    disk.resize(kilobytes * 4);
    await until('it goes on with room', () => counted('ok') >= before + more);
    sender.child.kill('SIGKILL');
    await sender.ended;
    const { bad, acked, refused } = await judge(home);
    return { checked: acked, bad, note: `refused: ${tally(refused)}; ${reads} reads answered; went on with room` };
  } finally {
    home.done();
    disk.done();
  }
}
