// An approval that an agent asks for: exactly which act, at which risk and why, and yes or no with a note. A yes holds for this act, once.

import { useState } from 'preact/hooks';
import type { WaitingReply } from '../../../../src/views/waiting.ts';
import { Button, Refused } from '../../parts/button.tsx';
import { Badge, type Tone } from '../../parts/marks.tsx';
import { Ago } from '../../parts/time.tsx';
import { useAct } from '../../store.ts';

const RISKS: Record<string, Tone> = { low: 'quiet', medium: 'warn', high: 'bad' };

export function ApprovalCard({ approval }: { approval: WaitingReply['approvals'][number] }) {
  const act = useAct();
  const [note, setNote] = useState('');
  const { approval_id, from, action, whole, risk, reason, requested_at, expires_at } = approval;
  const decide = (decision: 'approve' | 'deny', done: string) =>
    void act.run('decide_approval', { approval_id, decision, ...(note.trim() === '' ? {} : { note: note.trim() }) }, done);
  return (
    <article class="card" aria-label={`Approval for ${from}`}>
      <header>
        <strong>{from}</strong> asks to be allowed <Ago at={requested_at} />
        <Badge tone={RISKS[risk] ?? 'warn'}>{risk} risk</Badge>
        <span class="deadline">
          ends <Ago at={expires_at} />
        </span>
      </header>
      <pre>{action}</pre>
      {whole ? null : (
        <p class="trouble">This is only the beginning of the action. Read all of it with rookery approvals before you decide.</p>
      )}
      {reason === '' ? null : <p class="why">{reason}</p>}
      <textarea
        rows={1}
        value={note}
        aria-label={`Your note to ${from}`}
        placeholder="A note, if you like"
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <footer>
        <Button act={act} kind="main" disabled={!whole} onClick={() => decide('approve', `${from} may do exactly this, once.`)}>
          Approve
        </Button>
        <Button act={act} onClick={() => decide('deny', `${from} is told no.`)}>
          Deny
        </Button>
      </footer>
      <Refused act={act} />
    </article>
  );
}
