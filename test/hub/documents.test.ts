// What the agents of a project know in common: nobody writes over what another wrote meanwhile (A-14, S-07).

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { events, refused, stranger } from '../support/acts.ts';
import { attach, onEveryEngine, testHub } from '../support/engines.ts';

const put = (hub: Hub, by: Caller, name: string, body: string, expectedVersion = 0, key?: string) => {
  const given = { name, body, expectedVersion };
  return hub.documents.put(by, given, { tool: 'put_document', key, args: given });
};
const get = (hub: Hub, by: Caller, name: string, version?: number) => hub.documents.get(by, name, version);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function pair(engine: Parameters<typeof testHub>[0], limits = {}) {
  const hub = await testHub(engine, { limits: { sendBurst: 1_000, ...limits } });
  return { hub, boss: await attach(hub, 'boss', { role: 'manager' }), ada: await attach(hub, 'ada'), bob: await attach(hub, 'bob') };
}

onEveryEngine('documents', (engine) => {
  it('are written on top of the version that was read, or not at all', async () => {
    const { hub, ada, bob } = await pair(engine);
    expect(await put(hub, ada, 'api', 'GET /a')).toEqual({ name: 'api', version: 1, sha256: sha256('GET /a'), removed: false });
    const late = await refused('conflict', put(hub, bob, 'api', 'GET /b'));
    expect([late.message, late.hint]).toEqual([
      'expected_version: api is at version 1, by ada; nothing was written.',
      'Read it with get_document, put your change into it, and say expected_version: 1.',
    ]);
    await refused('conflict', put(hub, bob, 'other', 'x', 3));
    expect(await get(hub, bob, 'api')).toMatchObject({ version: 1, body: 'GET /a', by: 'ada', sha256: sha256('GET /a'), bytes: 6 });
    await put(hub, bob, 'api', 'GET /a\nGET /b', 1);
    expect(await get(hub, ada, 'api')).toMatchObject({ version: 2, by: 'bob' });
    expect(await get(hub, ada, 'api', 1)).toMatchObject({ version: 1, by: 'ada', body: 'GET /a' });
    // Of many who build on the same version one is first.
    const tried = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => put(hub, n % 2 === 0 ? ada : bob, 'api', `v${n}`, 2)));
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await get(hub, ada, 'api')).version).toBe(3);
    const [first, again] = [await put(hub, ada, 'api', 'once', 3, 'k'), await put(hub, ada, 'api', 'once', 3, 'k')];
    expect(again).toEqual({ ...first, replayed: true });
    expect((await events(hub)).filter(({ type }) => type === 'document.written')).toHaveLength(4);
  });

  it('keep their numbers when they are removed, so that nobody takes a new one for the old', async () => {
    const { hub, ada, bob } = await pair(engine, { documents: 2, documentVersions: 2 });
    await put(hub, ada, 'plan', 'one');
    await put(hub, ada, 'plan', 'two', 1);
    await put(hub, ada, 'plan', 'three', 2);
    await refused('not_found', get(hub, ada, 'plan', 1));
    expect(await put(hub, bob, 'plan', '', 3)).toMatchObject({ version: 4, removed: true });
    expect([await hub.documents.list(ada), (await refused('not_found', get(hub, ada, 'plan'))).hint]).toEqual([
      [],
      'list_documents shows what there is; of each the last 2 versions are kept.',
    ]);
    await refused('invalid_input', put(hub, bob, 'plan', ''));
    await refused('conflict', put(hub, ada, 'plan', 'on top of what is gone', 3));
    expect(await put(hub, ada, 'plan', 'anew')).toMatchObject({ version: 5 });
    await put(hub, ada, 'second', 'x');
    await refused('limit_reached', put(hub, ada, 'third', 'x'));
    expect((await hub.documents.list(bob)).map(({ name, version, by }) => [name, version, by])).toEqual([
      ['plan', 5, 'ada'],
      ['second', 1, 'ada'],
    ]);
    await refused('too_large', put(hub, ada, 'plan', 'x'.repeat(50_000), 5));
    await refused('invalid_input', put(hub, ada, 'No Name', 'x'));
  });

  it('belong to a project, and its brief to who oversees it', async () => {
    const { hub, boss, ada } = await pair(engine);
    await put(hub, ada, 'api', 'secret');
    const mallory = await stranger(hub);
    await refused('not_found', get(hub, mallory, 'api'));
    expect([await hub.documents.list(mallory), (await put(hub, mallory, 'api', 'mine')).version]).toEqual([[], 1]);
    expect((await get(hub, ada, 'api')).body).toBe('secret');
    await refused('forbidden', put(hub, ada, 'brief', 'I decide'));
    await put(hub, boss, 'brief', 'We port the parser to Rust.\nNobody touches src/old.');
    // It is told again after a lost context, as data, with what else there is.
    const text = await hub.recovery.text(ada, () => true);
    expect(text).toContain('Brief of the project, version 1, by boss: "We port the parser to Rust. Nobody touches src/old."');
    expect(text).toContain('Other documents: "api"');
    expect(text).toContain('get_document has the brief and the other documents whole.');
    expect(await hub.recovery.text(ada, (tool) => tool !== 'get_document')).not.toContain('get_document');
  });
});
