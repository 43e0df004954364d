// An approval that an agent asks for: exactly which act, at which risk, who may decide it and why it is wanted; yes or no, with a note. A yes
// holds for this act, once. And those that were decided lately, with what became of them.

import { useState } from 'preact/hooks';
import type { ApprovalsReply } from '../../../../src/views/approvals.ts';
import { Button, Refused } from '../../parts/button.tsx';
import { Section } from '../../parts/frame.tsx';
import { Badge, StateMark, type Tone } from '../../parts/marks.tsx';
import { Ago } from '../../parts/time.tsx';
import { useAct, useView } from '../../store.ts';

type Approval = ApprovalsReply['approvals'][number];

const RISKS: Record<string, Tone> = { low: 'quiet', medium: 'warn', high: 'bad' };
/** Who decides it, beside the operator, who may decide everything. */
const DECIDERS: Record<string, string> = { operator: 'only you decide', manager: 'a manager may decide, too', policy: 'decided by policy' };

export function ApprovalCard({ approval }: { approval: Approval }) {
  const act = useAct();
  const [note, setNote] = useState('');
  const { approval_id, from, action, risk, decides, reason, ref, requested_at, expires_at } = approval;
  const decide = (decision: 'approve' | 'deny', done: string) =>
    void act.run('decide_approval', { approval_id, decision, ...(note.trim() === '' ? {} : { note: note.trim() }) }, done);
  return (
    <article class="card" aria-label={`Approval for ${from}`}>
      <header>
        <strong>{from}</strong> asks to be allowed <Ago at={requested_at} />
        <Badge tone={RISKS[risk] ?? 'warn'}>{risk} risk</Badge>
        <span class="faint">{DECIDERS[decides] ?? decides}</span>
        <span class="deadline">
          ends <Ago at={expires_at} />
        </span>
      </header>
      <Action>{action}</Action>
      {reason === '' ? null : <p class="why">{reason}</p>}
      {ref === null ? null : <p class="why faint">about {ref}</p>}
      <textarea
        rows={1}
        value={note}
        aria-label={`Your note to ${from}`}
        placeholder="A note, if you like"
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <footer>
        <Button act={act} kind="main" onClick={() => decide('approve', `${from} may do exactly this, once.`)}>
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

/** All of it: whoever says yes has seen the end, too. */
function Action({ children }: { children: string }) {
  const lines = children.split('\n').length;
  return (
    <>
      {lines > 16 || children.length > 2_000 ? (
        <p class="faint">
          {lines === 1 ? '' : `${lines} lines, `}
          {children.length.toLocaleString()} characters; the whole of it:
        </p>
      ) : null}
      <pre class="action">{children}</pre>
    </>
  );
}

export function DecidedLately() {
  const { value } = useView('approvals', { limit: 20 });
  const decided = value?.approvals.filter(({ state }) => state !== 'pending') ?? [];
  if (decided.length === 0) return null;
  return (
    <Section title="Decided lately">
      <ul class="lines">
        {decided.map((one) => (
          <li key={one.approval_id}>
            <Decided approval={one} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Decided({ approval }: { approval: Approval }) {
  const { from, action, risk, state, decided_at, decided_by, decided_as, expires_at, note, used_at, used_by } = approval;
  return (
    <>
      <div class="stuck-head">
        <StateMark state={state === 'consumed' ? 'used' : state} />
        <span class="who">{from}</span>
        <Badge tone={RISKS[risk] ?? 'quiet'}>{risk} risk</Badge>
        <span class="faint">
          {decided_by === null ? 'nobody decided in time' : decided_as === 'policy' ? 'by policy' : `by ${decided_by}`}
        </span>
        <Ago at={decided_at ?? expires_at} />
      </div>
      <p class="excerpt">
        <code title={action}>{action}</code>
      </p>
      {note === null || note === '' ? null : <p class="why">“{note}”</p>}
      {used_at === null ? null : (
        <p class="why faint">
          used by {used_by} <Ago at={used_at} />
        </p>
      )}
    </>
  );
}
