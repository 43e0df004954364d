// The spans of a task: one for each of its versions, from its instant to the next, each the child of the one before; and one for each verdict.
// They are the spans that `rookery job export --format otlp` writes, with the same ids. Built only where somebody collects them.

import { historyOf } from '../store/task-history.ts';
import type { TaskRow } from '../store/tasks.ts';
import type { Act } from './command.ts';
import { linkTo } from './message-traces.ts';
import { derivedId } from './trace.ts';

/** The span of one version of a task. */
export function spanOf(taskId: string, version: number): string {
  return derivedId(`${taskId} ${version}`, 16);
}

type Traced = Pick<TaskRow, 'id' | 'version' | 'traceId' | 'parentSpanId'>;

/** A version was written: the one before it is over, and so is this one where nothing can follow. */
export async function traceTask(act: Act, task: Traced, isLast: boolean): Promise<void> {
  if (act.spans === undefined) return;
  const steps = await historyOf(act.tx, task.id, Math.max(0, task.version - 2), 2);
  for (const step of steps) {
    const isNew = step.version === task.version;
    if (isNew && !isLast) continue;
    act.spans.push({
      traceId: task.traceId,
      spanId: spanOf(task.id, step.version),
      name: `task.${step.act}`,
      kind: 'internal',
      parentSpanId: step.version === 1 ? task.parentSpanId : spanOf(task.id, step.version - 1),
      startAt: step.at,
      endAt: act.now,
      attributes: {
        'task.id': task.id,
        'task.version': step.version,
        'task.state': step.toState,
        'task.fencing_token': step.fencingToken,
      },
      link: isNew ? linkTo(act, task.traceId) : undefined,
      error: step.toState === 'failed' ? 'failed' : undefined,
    });
  }
}

export function traceVerdict(
  act: Act,
  task: Traced,
  verdict: { revision: number; reviewerId: string; verdict: string; requestedAt: number },
): void {
  act.spans?.push({
    traceId: task.traceId,
    spanId: derivedId(`${task.id} ${verdict.revision} ${verdict.reviewerId} reviewed`, 16),
    name: 'task.review',
    kind: 'internal',
    parentSpanId: spanOf(task.id, task.version),
    startAt: verdict.requestedAt,
    endAt: act.now,
    attributes: { 'task.id': task.id, 'task.revision': verdict.revision, 'task.verdict': verdict.verdict },
    link: linkTo(act, task.traceId),
  });
}
