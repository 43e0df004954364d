// Work that makes room, on a disk that has none: the ballast that the servers laid is given up for it, and laid again once there is room.

import type { Config } from '../config.ts';
import { isHubError } from '../hub/errors.ts';
import { giveUpBallast, layBallast } from '../store/ballast.ts';

/** Runs `work`; where the disk is too full for it and there is a ballast, gives that up and runs it once more. */
export async function withBallast<T>({ databasePath, databaseUrl, limits }: Config, work: () => Promise<T>): Promise<T> {
  if (databaseUrl !== undefined) return await work();
  const done = await work().catch(async (error: unknown) => {
    const isFull = isHubError(error) && error.code === 'storage_full';
    if (!isFull || !giveUpBallast(databasePath)) throw error;
    return await work();
  });
  try {
    layBallast(databasePath, limits.diskFloorBytes);
  } catch {
    // The work is done all the same; the next server lays it, and says so where it cannot.
  }
  return done;
}
