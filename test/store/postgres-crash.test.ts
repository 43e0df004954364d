// What a server says of a transaction after it crashed: it may be another's.

import { describe, expect, it } from 'vitest';
import { ServerPool } from '../../src/store/postgres-pool.ts';
import { pgSettings } from '../../src/store/postgres-settings.ts';
import { systemClock } from '../../src/system/clock.ts';
import { cleanup } from '../support/engines.ts';
import { hasPostgres } from '../support/postgres.ts';
import { startPostgres } from '../support/postgres-server.mjs';

const WRITE = 'BEGIN; INSERT INTO t VALUES (1); SELECT pg_current_xact_id()::text AS xid';

describe.runIf(hasPostgres)('a transaction whose commit was not answered', () => {
  it('is never taken for another that was given its number after a crash', async () => {
    const server = await startPostgres({ inMemory: true });
    if (server === undefined) throw new Error('there is no PostgreSQL');
    cleanup(() => server.stop());
    const pool = new ServerPool(pgSettings(server.url()), systemClock, 2);
    cleanup(() => pool.close());
    await pool.use(({ script }) => script('CREATE TABLE t (n int); CHECKPOINT'));
    const begun = async (end: string) =>
      await pool.use(async ({ script, life }) => {
        const xid = String((await script(WRITE))[0]?.xid);
        if (end === '') await server.halt('SIGKILL');
        else await script(end);
        return { xid, life };
      });

    const kept = await begun('COMMIT');
    const undone = await begun('ROLLBACK');
    await server.halt('SIGINT');
    await server.start();
    expect([await pool.outcomeOf(kept.xid, kept.life), await pool.outcomeOf(undone.xid, undone.life)]).toEqual(['committed', 'aborted']);

    const lost = await begun('');
    await server.start();
    expect(await pool.outcomeOf(lost.xid, lost.life)).toBe('aborted');
    const other = await begun('COMMIT');
    expect(other.xid).toBe(lost.xid);
    expect([await pool.outcomeOf(lost.xid, lost.life), await pool.outcomeOf(other.xid, other.life)]).toEqual(['unknown', 'committed']);
    expect(await pool.outcomeOf(kept.xid, { ...kept.life, history: 'another' })).toBe('unknown');
  });
});
