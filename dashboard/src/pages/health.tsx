// Health: what the doctor says, each finding with why it matters and the one thing that mends it; what the hub notices; how long its tools take.

import type { HealthReply } from '../../../src/views/health.ts';
import { Empty, Section, Viewed } from '../parts/frame.tsx';
import { StateMark } from '../parts/marks.tsx';
import { Ago, Sentence } from '../parts/time.tsx';
import { useView } from '../store.ts';
import { Calls } from './agent.tsx';

const GRAVEST = { fail: 0, warn: 1, unknown: 2, ok: 3 } as const;

export function HealthPage() {
  const health = useView('health');
  return (
    <>
      <h1>Health</h1>
      <Viewed of={health}>{(value) => <Health health={value} />}</Viewed>
    </>
  );
}

function Health({ health }: { health: HealthReply }) {
  const { hub, notices, tools, calls_since } = health;
  const findings = [...health.findings].sort((a, b) => GRAVEST[a.status] - GRAVEST[b.status]);
  const ill = findings.filter(({ status }) => status === 'fail' || status === 'warn').length;
  return (
    <>
      {notices.map((notice) => (
        <p class="notice" role="status" key={notice}>
          <Sentence>{notice}</Sentence>
        </p>
      ))}
      <div class="columns">
        <Section title="What the doctor says" count={ill}>
          {findings.length === 0 ? (
            <Empty title="The doctor is not at hand.">
              <p>
                <code>rookery doctor</code> examines everything on the command line.
              </p>
            </Empty>
          ) : (
            <>
              <Findings findings={findings.filter(({ status }) => status !== 'ok')} />
              <details class="well" open={ill === 0}>
                <summary>{findings.filter(({ status }) => status === 'ok').length} checks are well</summary>
                <Findings findings={findings.filter(({ status }) => status === 'ok')} />
              </details>
            </>
          )}
        </Section>
        <div class="column">
          <Section title="This hub">
            <dl class="facts">
              <div>
                <dt>version</dt>
                <dd>
                  {hub.version}, schema {hub.schema}
                </dd>
              </div>
              <div>
                <dt>serving for</dt>
                <dd>
                  <Ago at={hub.started_at} since />
                </dd>
              </div>
              <div>
                <dt>instance</dt>
                <dd>
                  <code>{hub.instance_id}</code>
                </dd>
              </div>
            </dl>
          </Section>
          <Section
            title="Calls"
            aside={
              calls_since === null ? null : (
                <span class="faint">
                  since <Ago at={calls_since} />
                </span>
              )
            }
          >
            <Calls calls={tools} />
          </Section>
        </div>
      </div>
    </>
  );
}

function Findings({ findings }: { findings: HealthReply['findings'] }) {
  return (
    <ul class="lines">
      {findings.map(({ check, status, what, why, fix }) => (
        <li key={`${check} ${what}`} class="finding">
          <StateMark state={status} />
          <div>
            <strong>{check.replace(/_/g, ' ')}</strong> <span class="faint">{what}</span>
            {why === undefined ? null : <p class="why">{why}</p>}
            {fix === undefined ? null : <pre>{fix}</pre>}
          </div>
        </li>
      ))}
    </ul>
  );
}
