// Retention: forgetting what is past its time, in batches, so that nobody waits long for the write lock; until none is left, so that no rate of
// work outgrows it.

import type { Db, Tx } from '../store/db.ts';

/** `forget` deletes about `batch` rows and answers how many. Answers how many went in all. */
export async function forgetInBatches(db: Db, batch: number, forget: (tx: Tx) => Promise<number>): Promise<number> {
  let forgotten = 0;
  for (;;) {
    const went = await db.write('', forget, 'relaxed');
    forgotten += went;
    if (went < batch) return forgotten;
  }
}
