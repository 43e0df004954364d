// The real source of ids and chance: the operating system's generator.

import { randomFillSync, randomInt } from 'node:crypto';
import type { Clock } from '../hub/clock.ts';
import type { Ids } from '../hub/ids.ts';

/** Lower-case letters and digits without the ones that people confuse; sorts as the numbers do. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Asking the operating system costs more than an id needs of it, so it is asked for many bytes at once. Each is given out once. */
const pool = Buffer.alloc(4_096);
let used = pool.length;

function randomPart(length: number): Buffer {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += length;
  return pool.subarray(used - length, used);
}

/** Random characters of the alphabet, five bits each. */
function chance(length: number): string {
  let text = '';
  for (const byte of randomPart(length)) text += ALPHABET.charAt(byte % 32);
  return text;
}

/** Random characters of base64url, six bits each. */
const secret = (length: number) => randomPart(length).toString('base64url').slice(0, length);

/** An instant, so that texts sort as the instants do. */
function stampOf(at: number): string {
  let text = '';
  for (let i = 0, rest = at; i < 9; i++) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

export function systemIds(clock: Clock): Ids {
  let stamped = { at: Number.NaN, text: '' };
  const stamp = () => {
    const at = clock.now();
    if (at !== stamped.at) stamped = { at, text: stampOf(at) };
    return stamped.text;
  };
  return {
    next: (prefix) => `${prefix}_${stamp()}${chance(8)}`,
    receipt: () => `rcp_${stamp()}${secret(22)}`,
    token: () => `rookery_${secret(43)}`,
    nonce: () => chance(12),
    pick: (from) => {
      const choice = from[randomInt(from.length)];
      if (choice === undefined) throw new Error('nothing to pick from');
      return choice;
    },
  };
}
