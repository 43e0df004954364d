import { expect, it } from 'vitest';
import { findAgentByName } from '../../src/store/agents.ts';
import { operatorOf, recv, refused, send } from '../support/acts.ts';
import { attach, onEveryEngine, PROJECT, testHub } from '../support/engines.ts';

onEveryEngine('revoking an agent', (engine) => {
  it('ends its session and its credentials, and nobody can be it or write to it', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    const ada = await attach(hub, 'ada');
    const ben = await attach(hub, 'ben');
    await send(hub, ben, 'ada', 'hello');
    const { token } = await hub.tokens.create(operator, { agent: 'ada' });
    expect(await hub.revoking.revoke(operator, 'ada')).toMatchObject({ name: 'ada', tokens: 1, sessionId: ada.sessionId });
    expect((await refused('stale_session', recv(hub, ada))).message).toContain('was revoked');
    await refused('unauthorized', hub.tokens.authenticate(token));
    await refused('forbidden', attach(hub, 'ada', { takeover: true }));
    expect((await refused('not_found', send(hub, ben, 'ada', 'still there?'))).message).toContain('was revoked');
    await refused('not_found', send(hub, ben, '*', 'anybody?'));
    expect((await hub.agents.list(ben, { waitMs: 0 })).agents.map(({ agent }) => agent.name)).not.toContain('ada');
    await refused('conflict', hub.revoking.revoke(operator, 'ada'));
  });

  it('is the operator’s alone, and not for the standing principals', async () => {
    const hub = await testHub(engine);
    const manager = await attach(hub, 'lead', { role: 'manager' });
    await attach(hub, 'ada');
    await refused('forbidden', hub.revoking.revoke(manager, 'ada'));
    await refused('forbidden', hub.revoking.revoke(await operatorOf(hub), 'operator'));
    await refused('not_found', hub.revoking.revoke(await operatorOf(hub), 'nobody'));
  });

  it('is lifted by a new credential; its mail is still there', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    await attach(hub, 'ada');
    await send(hub, operator, 'ada', 'for later');
    await hub.revoking.revoke(operator, 'ada');
    await hub.tokens.create(operator, { agent: 'ada' });
    const again = await attach(hub, 'ada');
    expect((await recv(hub, again)).messages).toMatchObject([{ body: 'for later' }]);
    expect((await hub.db.read((read) => findAgentByName(read, PROJECT.id, 'ada')))?.revokedAt).toBeNull();
  });
});
