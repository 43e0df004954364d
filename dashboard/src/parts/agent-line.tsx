// An agent in one line: who, whether it is there, how it learns of mail, and what waits for it.

import type { AgentsReply } from '../../../src/views/agents.ts';
import { hrefOf } from '../router.ts';
import { Badge, PresenceMark } from './marks.tsx';
import { Ago } from './time.tsx';

type Agent = AgentsReply['agents'][number];

/** The words for how an agent is woken. */
export const DOORS: Record<string, string> = {
  none: 'no wake door',
  waiting_call: 'waits for mail',
  monitor: 'woken by its monitor',
  async_rewake: 'woken by its hook',
  messaging_socket: 'woken by its socket',
  codex_queue: 'woken by its queue',
  channel: 'woken by a channel',
  command: 'woken by a command',
  webhook: 'woken by a webhook',
};

/** `wide`: with how it was woken. */
export function AgentLine({ agent, wide = false }: { agent: Agent; wide?: boolean }) {
  const { name, role, state, client, status, last_seen, unread, owed, wake, woken, parent, quarantined } = agent;
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
          {DOORS[wake.door] ?? wake.door}
          {wake.proven_at === undefined ? null : (
            <>
              {', proven '}
              <Ago at={wake.proven_at} />
            </>
          )}
          {woken === null || !wide ? '' : `, woken ${woken.attempts} ${woken.attempts === 1 ? 'time' : 'times'} today, read ${woken.read}`}
          {' · seen '}
          <Ago at={last_seen} />
          {client === undefined ? '' : ` · ${client}`}
          {parent === undefined ? '' : ` · sub-agent of ${parent}`}
        </span>
      </span>
      <span class="agent-load">
        {quarantined === true ? <Badge tone="bad">in quarantine</Badge> : null}
        {unread > 0 ? <Badge tone={state === 'gone' ? 'warn' : 'wait'}>{unread} unread</Badge> : null}
        {owed > 0 ? <Badge tone={state === 'stalled' ? 'warn' : 'quiet'}>{owed} owed</Badge> : null}
      </span>
    </div>
  );
}
