// Faults by system call, injected with strace: a sender killed at the n-th write or sync for every n of a sweep, which is deterministic where
// random kills are not; and syncs and writes that fail or find the disk full. What was acknowledged stays, whatever was refused is not there.

import { judge, stage, startSender, tally } from './stage.mjs';

/** The calls by which SQLite changes its files. */
const CHANGING = 'pwrite64,fdatasync,ftruncate,unlink';
const NAMES = ['a', 'b'];

/** Kills a sender at the 1st, 2nd, ... `points`-th of each of these calls: strace counts each call by itself. */
export async function proveSyscallKills({ points }) {
  const home = await stage({ names: NAMES });
  const [calls, bad] = [CHANGING.split(','), []];
  let killed = 0;
  try {
    for (let point = 0; point < points; point++) {
      const call = calls[point % 2 === 0 ? 0 : 1 + (Math.floor(point / 2) % (calls.length - 1))];
      const when = 1 + Math.floor(point / 2);
      const { ended } = startSender(home, { name: 'a', to: 'b', count: 30, under: injecting(call, `signal=KILL:when=${when}`) });
      const { signal, code, said } = await ended;
      if (signal === 'SIGKILL' || code === 137) killed += 1;
      else if (code !== 0) bad.push(`${call} ${when}: ended with ${code ?? signal}: ${said.split('\n').at(-1)}`);
    }
    const { bad: found, acked } = await judge(home);
    if (killed < points / 3) bad.push(`only ${killed} of ${points} points were reached`);
    return { checked: acked, bad: [...bad, ...found], note: `${points} points, ${killed} kills` };
  } finally {
    home.done();
  }
}

/** Two senders, one of which meets `error` at every `every`-th of `calls`. Both go on; what each was told holds. */
export async function proveFailingCalls({ calls, error, count, every = 20 }) {
  const home = await stage({ names: NAMES });
  try {
    const senders = [
      startSender(home, { name: 'a', to: 'b', count, under: injecting(calls, `error=${error}:when=${every}+${every}`) }),
      startSender(home, { name: 'b', to: 'a', count }),
    ];
    const ends = await Promise.all(senders.map(({ ended }) => ended));
    const { bad, acked, refused, evidence } = await judge(home);
    for (const { code, signal, said } of ends)
      if (code !== 0) bad.push(`a sender ended with ${code ?? signal}: ${said.split('\n').at(-1)}`);
    const unknown = evidence.history.filter(({ op, phase }) => op === 'send' && phase === 'info').length;
    const met = [...refused.values()].reduce((sum, n) => sum + n, unknown);
    if (met === 0) bad.push('no send met the error');
    return { checked: acked, bad, note: `refused: ${tally(refused)}; ${unknown} of unknown outcome` };
  } finally {
    home.done();
  }
}

function injecting(calls, what) {
  return ['strace', '-f', '-qqq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:${what}`];
}
