// Role by tool: what an agent, its sub-agent, a manager and the operator may do with an approval. Every row is a call through the front door.

import { expect, it } from 'vitest';
import { callTool } from '../../src/tools/call.ts';
import { Connection } from '../../src/tools/connection.ts';
import { findTool } from '../../src/tools/index.ts';
import { TOOLSETS } from '../../src/tools/tool.ts';
import { operatorOf } from '../support/acts.ts';
import { attach, sqlite, type TestHub, testHub } from '../support/engines.ts';

const ACTION = 'deploy main to staging';
type Who = 'requester' | 'child' | 'peer' | 'manager' | 'operator';

async function cast(hub: TestHub): Promise<Record<Who, (tool: string, input: unknown) => Promise<string>>> {
  const connect = async (name: string, role?: string) =>
    Connection.fixed(hub, await attach(hub, name, role === undefined ? {} : { role }), TOOLSETS);
  const requester = await connect('requester');
  const peer = await connect('peer');
  const manager = await connect('manager', 'manager');
  const operator = Connection.fixed(hub, await operatorOf(hub), TOOLSETS);
  const caller = await requester.caller();
  const attachment = {
    project: { id: 'demo-1', name: 'demo', root: '/work/demo' },
    door: 'stdio' as const,
    client: { name: 'test', version: '1' },
    root: '/work/demo',
  };
  await hub.joining.join(caller, attachment, { name: 'child', childOfMe: true }, { tool: 'join' });
  const as =
    (connection: Connection, common: object = {}) =>
    async (name: string, input: unknown) => {
      const tool = findTool(name);
      if (tool === undefined) throw new Error(`no tool ${name}`);
      const reply = await callTool(hub, connection, tool, { ...Object(input), ...common });
      if (!reply.ok) return reply.error.code;
      return reply.result.valid === false ? 'invalid' : 'ok';
    };
  return { requester: as(requester), child: as(requester, { as: 'child' }), peer: as(peer), manager: as(manager), operator: as(operator) };
}

const MATRIX: [risk: 'low' | 'medium' | 'high', tool: string, expected: Record<Who, string>][] = [
  ['medium', 'decide_approval', { requester: 'forbidden', child: 'invalid_input', peer: 'forbidden', manager: 'ok', operator: 'ok' }],
  ['high', 'decide_approval', { requester: 'forbidden', child: 'invalid_input', peer: 'forbidden', manager: 'forbidden', operator: 'ok' }],
  [
    'low',
    'decide_approval',
    { requester: 'forbidden', child: 'invalid_input', peer: 'forbidden', manager: 'conflict', operator: 'conflict' },
  ],
  ['low', 'verify_approval', { requester: 'ok', child: 'ok', peer: 'ok', manager: 'ok', operator: 'ok' }],
  ['high', 'verify_approval', { requester: 'invalid', child: 'invalid', peer: 'invalid', manager: 'invalid', operator: 'invalid' }],
];

it.each(MATRIX)('%s risk: %s', async (risk, tool, expected) => {
  const outcomes: Partial<Record<Who, string>> = {};
  for (const who of Object.keys(expected) as Who[]) {
    const hub = await testHub(sqlite);
    const act = await cast(hub);
    expect(await act.requester('request_approval', { action: ACTION, risk })).toBe('ok');
    const [approval] = await hub.approvals.list(await operatorOf(hub), { pending: false, limit: 1 });
    const id = { approval_id: approval?.id };
    outcomes[who] = await act[who](
      tool,
      tool === 'decide_approval' ? { ...id, decision: 'approve' } : { ...id, action: ACTION, consume: true },
    );
  }
  expect(outcomes).toEqual(expected);
});

it('only agents ask', async () => {
  const hub = await testHub(sqlite);
  const act = await cast(hub);
  const asks = { action: ACTION, risk: 'low' };
  for (const who of ['requester', 'child', 'peer', 'manager'] as const)
    expect([who, await act[who]('request_approval', asks)]).toEqual([who, 'ok']);
  expect(await act.operator('request_approval', asks)).toBe('forbidden');
});
