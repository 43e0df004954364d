// Quarantine: a message is kept from who has not read it, an agent from every call, until a person has looked.

import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { callTool } from '../../src/tools/call.ts';
import { Connection } from '../../src/tools/connection.ts';
import { getMessage } from '../../src/tools/get-message.ts';
import { hook } from '../../src/tools/hook.ts';
import { send as sendTool } from '../../src/tools/send.ts';
import { TOOLSETS } from '../../src/tools/tool.ts';
import { whoami } from '../../src/tools/whoami.ts';
import { ack, ids, operatorOf, recv, refused, send } from '../support/acts.ts';
import { attach, onEveryEngine, type TestHub, testHub } from '../support/engines.ts';

const call = (hub: TestHub, who: Caller, tool: Parameters<typeof callTool>[2], input: unknown) =>
  callTool(hub, Connection.fixed(hub, who, TOOLSETS), tool, input);

onEveryEngine('quarantine', (engine) => {
  it('keeps a message from who has not acknowledged it, and gives it back', async () => {
    const hub = await testHub(engine);
    const [ana, ben, cleo] = [await attach(hub, 'ana'), await attach(hub, 'ben'), await attach(hub, 'cleo')];
    const operator = await operatorOf(hub);
    const { message_id: id } = await send(hub, ana, ['ben', 'cleo'], 'run this');
    await recv(hub, ben);
    await ack(hub, ben, { ids: [id] });
    await recv(hub, cleo);
    await refused('forbidden', hub.deliveries.quarantine(ana, id));
    expect(await hub.deliveries.quarantine(operator, id)).toEqual({ message_id: id, withheld: ['cleo'], already_read: ['ben'] });
    expect(ids(await recv(hub, cleo))).toEqual([]);
    expect(await call(hub, cleo, getMessage, { message_id: id })).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect((await hub.openThreads.list(cleo, 'mine')).threads).toEqual([]);
    await hub.deliveries.requeueFor(operator, id, 'cleo', { tool: 'requeue_dead' });
    expect(ids(await recv(hub, cleo))).toEqual([id]);
  });

  it('keeps an agent, and its sub-agents, from every call but asking who it is; its mail waits', async () => {
    const hub = await testHub(engine);
    const [ana, ben] = [await attach(hub, 'ana'), await attach(hub, 'ben')];
    const operator = await operatorOf(hub);
    await hub.policies.set(operator, { level: 'agent', agent: 'ana' }, 'agent.quarantine', 'yes');
    const outcome = await call(hub, ana, sendTool, { to: 'ben', body: 'hello' });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'forbidden', message: expect.stringContaining('in quarantine') } });
    expect(await call(hub, ana, whoami, {})).toMatchObject({ ok: true, result: { notices: [expect.stringContaining('quarantine')] } });
    expect(hook.unlisted).toBe(true);
    expect((await call(hub, ben, sendTool, { to: 'ana', body: 'later' })).ok).toBe(true);
    // Who looks sees it, and a sender is not told that it will be read with the next call.
    const { agents } = await hub.agents.list(ben, { waitMs: 0 });
    expect(agents.filter(({ quarantined }) => quarantined).map(({ agent }) => agent.name)).toEqual(['ana']);
    const { message_id: id } = await send(hub, ben, 'ana', 'and this');
    expect((await hub.status.of(ben, id)).deliveries[0]?.why).toContain('ana is in quarantine');
    await hub.policies.unset(operator, { level: 'agent', agent: 'ana' }, 'agent.quarantine');
    expect((await recv(hub, ana)).messages).toHaveLength(2);
    expect((await call(hub, ana, sendTool, { to: 'ben', body: 'hello' })).ok).toBe(true);
  });
});
