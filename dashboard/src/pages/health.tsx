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
          {health.server === null ? null : <Server server={health.server} />}
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

/** What this server knows of itself since it started. */
function Server({ server }: { server: NonNullable<HealthReply['server']> }) {
  const { streams, failing_duties, sessions, waiting_calls } = server;
  return (
    <>
      <Section title="Timed duties" count={failing_duties.length}>
        {failing_duties.length === 0 ? (
          <Empty title="Every duty does its work." />
        ) : (
          <ul class="lines">
            {failing_duties.map(({ duty, failures, error }) => (
              <li key={duty} class="finding">
                <StateMark state="fail" />
                <div>
                  <strong>{duty}</strong>{' '}
                  <span class="faint">
                    has failed {failures} {failures === 1 ? 'time' : 'times'} in a row
                  </span>
                  <p class="why">{error}</p>
                </div>
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section title="Streams and sessions" aside={<span class="faint">since this server started</span>}>
        <dl class="tally">
          {(
            [
              ['event streams open', streams.open],
              ['opened', streams.opened],
              ['reconnected', streams.resumed],
              ['cut off', streams.cut_off],
              ['events sent', streams.events],
              ['HTTP sessions', sessions],
              ['calls that wait', waiting_calls],
            ] as const
          ).map(([word, count]) => (
            <div key={word}>
              <dt class="faint">{word}</dt>
              <dd>{count.toLocaleString()}</dd>
            </div>
          ))}
        </dl>
      </Section>
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
