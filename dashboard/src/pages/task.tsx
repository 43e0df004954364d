// One task: what is asked for, who has it, what it waits for, where its time went, what came of it, what reviewers said, and every change of it.

import type { TaskReply } from '../../../src/views/task.ts';
import { Section, Viewed, Words } from '../parts/frame.tsx';
import { Badge, StateMark } from '../parts/marks.tsx';
import { TaskActs } from '../parts/task-acts.tsx';
import { TaskTime } from '../parts/task-time.tsx';
import { Ago, Sentence } from '../parts/time.tsx';
import { hrefOf, type Place } from '../router.ts';
import { useView } from '../store.ts';

const ENDED = ['completed', 'failed', 'canceled', 'rejected'];
const VERDICTS: Record<string, string> = { passed: 'PASS', not_passed: 'NOT PASS' };

export function TaskPage({ place }: { place: Place }) {
  const task = useView('task', { task_id: place.id });
  return (
    <>
      <p class="trail">
        <a href={hrefOf('tasks')}>Tasks</a>
      </p>
      <h1>{task.value?.task.title ?? 'A task'}</h1>
      <Viewed of={task}>{(value) => <Task reply={value} />}</Viewed>
    </>
  );
}

function Task({ reply }: { reply: TaskReply }) {
  const { task, body, depends_on = [], children, result, late_results = [], history, expected_artifacts = [], reviewers = [] } = reply;
  const { reviews = [], titles, traceparent, reused_from, failure_cause } = reply;
  return (
    <>
      <div class="agent-card">
        <p class="agent-now">
          <StateMark state={task.state} />
          {task.priority === 'normal' ? null : <Badge tone="warn">{task.priority}</Badge>}
          {task.verification === undefined ? null : <Badge>{task.verification}</Badge>}
          {task.why === undefined ? null : (
            <span class="faint">
              <Sentence>{task.why.replace(/tsk_\w+/g, (other) => titles[other] ?? other)}</Sentence>
            </span>
          )}
        </p>
        <dl class="facts">
          <Fact name="created by" words={task.creator} />
          <Fact name="held by" words={task.holder} />
          <Fact name="meant for" words={task.assignee} />
          <Fact name="needs" words={task.needs?.join(', ')} />
          <Fact name="labels" words={task.labels?.join(', ')} />
          <Fact name="attempt" words={task.attempt === undefined ? undefined : String(task.attempt)} />
          <Fact name="progress" words={task.progress === undefined ? undefined : `${task.progress} %`} />
          <Fact name="failed because of" words={failure_cause} />
          <Fact name="result of" words={reused_from} />
          <Fact name="artifacts" words={expected_artifacts.join(', ')} />
          <Fact name="reviewers" words={reviewers.join(', ')} />
          <Fact
            name="below it"
            words={Object.entries(children ?? {})
              .map(([state, count]) => `${count} ${state}`)
              .join(', ')}
          />
          {task.deadline_at === undefined ? null : (
            <div>
              <dt>due</dt>
              <dd>
                <Ago at={task.deadline_at} />
              </dd>
            </div>
          )}
          {task.lease_until === undefined ? null : (
            <div>
              <dt>held until</dt>
              <dd>
                <Ago at={task.lease_until} />
              </dd>
            </div>
          )}
          <div>
            <dt>trace</dt>
            <dd>
              <code>{traceparent.split('-')[1]}</code>
            </dd>
          </div>
        </dl>
        <TaskTime history={history} ended={ENDED.includes(task.state)} />
      </div>
      <div class="columns">
        <div class="column">
          {body === undefined ? null : (
            <Section title="What is asked for">
              <Words>{body}</Words>
            </Section>
          )}
          {depends_on.length === 0 ? null : (
            <Section title="Waits for" count={depends_on.filter(({ settled }) => !settled).length}>
              <ul class="lines">
                {depends_on.map((one) => (
                  <li key={one.task_id} class="stuck-head">
                    <a href={hrefOf('tasks', one.task_id)}>{titles[one.task_id] ?? one.task_id}</a>
                    <StateMark state={one.state} />
                    {one.on_failure === 'block' ? null : <span class="faint">if it fails: {one.on_failure}</span>}
                  </li>
                ))}
              </ul>
            </Section>
          )}
          {result === undefined ? null : (
            <Section title="Result">
              <p class="why">
                {result.by}, <Ago at={result.at} />
              </p>
              <Words>{result.result}</Words>
              {result.artifacts === undefined ? null : <p class="why">With {result.artifacts.join(', ')}</p>}
            </Section>
          )}
          {reviews.length === 0 ? null : (
            <Section title="Verdicts" count={reviews.filter(({ state }) => state === 'owed').length}>
              <ul class="lines">
                {reviews.map((one) => (
                  <li key={`${one.reviewer} ${one.revision}`}>
                    <div class="stuck-head">
                      <span class="who">{one.reviewer}</span>
                      <StateMark state={one.state} word={VERDICTS[one.state]} />
                      <span class="faint">revision {one.revision}</span>
                      <Ago at={one.at} />
                    </div>
                    {(one.findings ?? []).map((finding) => (
                      <p class="words" key={finding}>
                        {finding}
                      </p>
                    ))}
                  </li>
                ))}
              </ul>
            </Section>
          )}
          {late_results.length === 0 ? null : (
            <Section title="Came too late" count={late_results.length}>
              <p class="why">Under a token that was no longer the task’s: kept, and not applied.</p>
              {late_results.map((one) => (
                <div key={one.at}>
                  <p class="why">
                    {one.by} with token {one.fencing_token}, <Ago at={one.at} />
                  </p>
                  <Words>{one.result}</Words>
                </div>
              ))}
            </Section>
          )}
          <Section title="Decide">
            <TaskActs task={task} />
          </Section>
        </div>
        <Section title="History">
          <ol class="lines history">
            {history.map((step) => (
              <li key={step.version}>
                <div class="stuck-head">
                  <span>
                    <span class="who">{step.by}</span> {step.act.replace(/_/g, ' ')}
                  </span>
                  <StateMark state={step.state} />
                  <Ago at={step.at} />
                </div>
                {step.note === undefined ? null : <p class="words">{step.note}</p>}
              </li>
            ))}
            {reply.next_version === undefined ? null : <li class="faint">and more: rookery call get_task shows all of it</li>}
          </ol>
        </Section>
      </div>
    </>
  );
}

function Fact({ name, words }: { name: string; words: string | undefined }) {
  if (words === undefined || words === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{words}</dd>
    </div>
  );
}
