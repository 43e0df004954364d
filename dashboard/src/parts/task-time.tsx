// Where the time of a task went: how long it was in which state, from its creation to its end or to now.

import type { TaskStep } from '../../../src/views/task.ts';
import { StateMark, toneOf } from './marks.tsx';
import { exactly, span } from './time.tsx';

type Stretch = { state: string; from: number; until: number; by: string };

export function TaskTime({ history, ended }: { history: readonly TaskStep[]; ended: boolean }) {
  const stretches = toStretches(history, ended);
  const [first, last] = [stretches.at(0), stretches.at(-1)];
  if (first === undefined || last === undefined || last.until - first.from < 1_000) return null;
  const whole = last.until - first.from;
  const sums = new Map<string, number>();
  for (const { state, from, until } of stretches) sums.set(state, (sums.get(state) ?? 0) + until - from);
  return (
    <figure class="task-time">
      <div class="task-bar" aria-hidden="true">
        {stretches.map(({ state, from, until, by }) => (
          <span
            key={from}
            class={`stretch ${toneOf(state)} ${state}`}
            style={{ flexGrow: `${Math.max(0.004, (until - from) / whole)}` }}
            title={`${state.replace(/_/g, ' ')} for ${span(until - from)}, from ${exactly(new Date(from))}, by ${by}`}
          />
        ))}
      </div>
      <figcaption>
        {[...sums].map(([state, ms]) => (
          <span class="key" key={state}>
            <StateMark state={state} /> {span(ms)}
          </span>
        ))}
        <span class="caption">{span(whole)} in all</span>
      </figcaption>
    </figure>
  );
}

/** Steps that leave the state as it is belong to the same stretch; a task that has ended stays as it is and takes no more time. */
function toStretches(history: readonly TaskStep[], ended: boolean): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [index, step] of history.entries()) {
    const from = Date.parse(step.at);
    const next = history[index + 1];
    if (next === undefined && ended) break;
    const until = next === undefined ? Date.now() : Date.parse(next.at);
    const last = stretches.at(-1);
    if (last?.state === step.state) last.until = until;
    else stretches.push({ state: step.state, from, until, by: step.by });
  }
  return stretches;
}
