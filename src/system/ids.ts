// The real source of ids and chance (nanoid, over the operating system's generator).

import { randomInt } from 'node:crypto';
import { customAlphabet, nanoid } from 'nanoid';
import type { Clock } from '../hub/clock.ts';
import type { Ids } from '../hub/ids.ts';

/** Lower-case letters and digits without the ones that people confuse; sorts as the numbers do. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const chance = customAlphabet(ALPHABET, 8);
const mark = customAlphabet(ALPHABET, 12);

export function systemIds(clock: Clock): Ids {
  const stamp = () => {
    let rest = clock.now();
    let text = '';
    for (let i = 0; i < 9; i++) {
      text = ALPHABET.charAt(rest % 32) + text;
      rest = Math.floor(rest / 32);
    }
    return text;
  };
  return {
    next: (prefix) => `${prefix}_${stamp()}${chance()}`,
    receipt: () => `rcp_${stamp()}${nanoid(22)}`,
    token: () => `rookery_${nanoid(43)}`,
    nonce: () => mark(),
    pick: (from) => {
      const choice = from[randomInt(from.length)];
      if (choice === undefined) throw new Error('nothing to pick from');
      return choice;
    },
  };
}
