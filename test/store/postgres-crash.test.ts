// What is left after a server crashed: of a transaction whose commit was not answered, and of what carries no promise.

import { describe, expect, it } from 'vitest';
import { openPostgres } from '../../src/store/postgres-open.ts';
import { ServerPool } from '../../src/store/postgres-pool.ts';
import { pgSettings } from '../../src/store/postgres-settings.ts';
import { systemClock } from '../../src/system/clock.ts';
import { ack, ids, recv, send } from '../support/acts.ts';
import { attach, cleanup, testHub } from '../support/engines.ts';
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

describe.runIf(hasPostgres)('a lease that the server forgot', () => {
  it('leaves the message as it was before: the receipt before it is current again, and its own is stale', async () => {
    // A log that is written out late makes sure that the crash finds the lease in memory only.
    const server = await startPostgres({ inMemory: true, settings: { wal_writer_delay: '10s' } });
    if (server === undefined) throw new Error('there is no PostgreSQL');
    cleanup(() => server.stop());
    const hub = await testHub({ name: 'postgres', open: () => openPostgres({ url: server.url(), clock: systemClock }) });
    const [ana, ben] = [await attach(hub, 'ana'), await attach(hub, 'ben')];
    const kept = await send(hub, ana, 'ben', 'whatever happens');
    const before = await recv(hub, ben);
    await send(hub, ana, 'ben', 'puts the first lease on the disk');
    const forgotten = await recv(hub, ben, { max: 1 });
    expect([ids(before), ids(forgotten)]).toEqual([[kept.message_id], [kept.message_id]]);

    await server.halt('SIGKILL');
    await server.start();
    await expect(ack(hub, ben, { receipt: forgotten.receipt ?? '' })).rejects.toMatchObject({ code: 'stale_receipt' });
    expect((await ack(hub, ben, { receipt: before.receipt ?? '' })).acked).toEqual([kept.message_id]);
    expect((await recv(hub, ben)).messages.map(({ body, attempt }) => [body, attempt])).toEqual([['puts the first lease on the disk', 1]]);
  });
});
