// Which hub this is: its id, its clock's high-water mark and its last heartbeat come from the database; a fresh one is given them.

import type { Db } from '../store/db.ts';
import { findHub, type HubRow, insertHub } from '../store/projects.ts';
import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';

export async function identify(db: Db, clock: Clock, ids: Ids): Promise<HubRow> {
  const known = await db.read(findHub);
  if (known !== undefined) return known;
  await db.write('', (tx) => insertHub(tx, ids.next('hub'), clock.now()));
  const made = await db.read(findHub);
  if (made === undefined) throw new Error('the hub row was not written');
  return made;
}
