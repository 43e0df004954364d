// Names that can be reserved: locks on whatever has no path, such as branch:main, port:3000, database. They compare exactly.

import { HubError } from './errors.ts';
import type { Reservable } from './reserved-paths.ts';

const LONGEST = 200;

/** The canonical form of a lock's name. Errors: `invalid_input`. */
export function toLockName(given: string): Reservable {
  const text = given.trim().normalize('NFC');
  if (text !== '' && text.length <= LONGEST && !/[\p{Cc}\p{Cs}*]/u.test(text) && /[\p{L}\p{N}]/u.test(text)) return { text, folded: text };
  throw new HubError(
    'invalid_input',
    `names: a name must be 1 to ${LONGEST} visible characters, with a letter or digit and without *; nothing was reserved.`,
    { hint: 'For example branch:main, port:3000, database. Files and globs go into paths.' },
  );
}
