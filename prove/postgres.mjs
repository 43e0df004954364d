// The crash proof on PostgreSQL: processes on one database send to each other, each of them a hub, while they are killed at random and the server
// is stopped in order and killed by turns. What was acknowledged is there once, whatever was cut.

import { startPostgres } from '../test/support/postgres-server.mjs';
import { check, SERVER_CHECKS } from './check.mjs';
import { crashRound } from './crash.mjs';
import { pause } from './hub.mjs';

/** Answers undefined where no PostgreSQL is installed. `restartEveryMs`: how long the server is left alone between two stops. */
export async function provePostgres({ restartEveryMs, ...round }) {
  const server = await startPostgres();
  if (server === undefined) return undefined;
  const stops = { ordered: 0, killed: 0 };
  const disturb = async (isOver) => {
    for (let n = 0; !isOver(); n++) {
      await pause(restartEveryMs);
      if (isOver()) return;
      await server.halt(n % 2 === 0 ? 'SIGKILL' : 'SIGINT');
      stops[n % 2 === 0 ? 'killed' : 'ordered'] += 1;
      await pause(n % 3 === 2 ? 7_000 : 300); // longer than a call waits for it, now and then
      await server.start();
    }
  };
  try {
    const { figures, evidence } = await crashRound({ ...round, databaseUrl: server.url(), disturb });
    return { figures, stops, results: check(evidence, SERVER_CHECKS) };
  } finally {
    await server.stop();
  }
}
