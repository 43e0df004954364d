// An agent in one line: who, whether it is there, how it learns of mail, and what waits for it.

import type { AgentsReply } from '../../../src/views/agents.ts';
import { hrefOf } from '../router.ts';
import { Badge, PresenceMark } from './marks.tsx';
import { Ago } from './time.tsx';

type Agent = AgentsReply['agents'][number];

/** The words for how an agent is woken. */
export const DOORS: Record<string, string> = { none: 'no wake door', waiting_call: 'woken at once' };

export function AgentLine({ agent }: { agent: Agent }) {
  const { name, role, state, client, status, last_seen, unread, owed, wake } = agent;
  return (
    <div class="agent-line">
      <span class="agent-name">
        <a href={hrefOf('agents', name)}>{name}</a>
        {role === 'agent' ? null : <span class="role">{role}</span>}
      </span>
      <PresenceMark state={state} />
      <span class="agent-facts">
        {status === undefined ? null : <span class="status">{status}</span>}
        <span class="faint">
          {[client, DOORS[wake.door] ?? wake.door].filter((word) => word !== undefined).join(' · ')}
          {' · '}
          <Ago at={last_seen} />
        </span>
      </span>
      <span class="agent-load">
        {unread > 0 ? <Badge tone={state === 'gone' ? 'warn' : 'wait'}>{unread} unread</Badge> : null}
        {owed > 0 ? <Badge tone={state === 'stalled' ? 'warn' : 'quiet'}>{owed} owed</Badge> : null}
      </span>
    </div>
  );
}
