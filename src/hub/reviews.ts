// Reviews: verdicts on what was handed in for a task. A verdict is PASS or NOT_PASS with findings, given by submit_review and by nothing else
// (T-26); it is bound to one revision, so handing in again asks everybody anew and old verdicts no longer count. One NOT_PASS sends the task
// back to whoever holds it; as many PASS as its quorum complete it.
//
//   owed -> passed | not_passed | moot;  passed -> not_passed while its revision is still in review
//
// Nobody reviews what passed through their own hands: not the author, nor a sub-agent or parent that acts in the author's session.

import { type AgentRow, findAgent, findAgentByName } from '../store/agents.ts';
import {
  countPassed,
  decideReview,
  findReview,
  insertReview,
  lateReviews,
  markOverdueTold,
  type ReviewRow,
  type ReviewState,
} from '../store/reviews.ts';
import { findResult } from '../store/task-history.ts';
import { findTask, type TaskRow } from '../store/tasks.ts';
import { type Caller, HUB } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { isKin, isSameHand } from './hands.ts';
import type { Leases } from './leases.ts';
import { settleMessage } from './settling.ts';
import { type Actor, changeTask, HUB_ACTOR, noTask } from './task-changes.ts';
import type { TaskEnds } from './task-ends.ts';
import type { TaskNotices } from './task-notices.ts';
import { traceVerdict } from './task-traces.ts';

export const VERDICTS = ['PASS', 'NOT_PASS'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What may follow what. */
export const REVIEW_TRANSITIONS: Readonly<Record<ReviewState, readonly ReviewState[]>> = {
  owed: ['passed', 'not_passed', 'moot'],
  passed: ['not_passed'],
  not_passed: [],
  moot: [],
};

export type Submission = { taskId: string; revision: number; verdict: Verdict; findings: readonly string[] };

/** How the review of a task stands after a verdict. */
export type Outcome = { state: TaskRow['state']; revision: number; passed: number; quorum: number };

export class Reviews {
  readonly #context: HubContext;
  readonly #ends: TaskEnds;
  readonly #notices: TaskNotices;
  readonly #leases: Leases;

  constructor(context: HubContext, ends: TaskEnds, notices: TaskNotices, leases: Leases) {
    this.#context = context;
    this.#ends = ends;
    this.#notices = notices;
    this.#leases = leases;
    ends.whenInReview((act, task, by) => this.#ask(act, task, by));
  }

  /**
   * A reviewer's verdict on a revision. The same verdict again changes nothing. Errors: `forbidden` for who is not asked, and for the author;
   * `conflict` when the task is not in review, when another revision is, or for a NOT_PASS that is taken back.
   */
  async submit(caller: Caller, given: Submission, intent: Intent): Promise<Outcome & { replayed?: boolean }> {
    if (given.verdict === 'NOT_PASS' && given.findings.every((finding) => finding.trim() === '')) {
      throw new HubError('invalid_input', 'findings: a NOT_PASS needs at least one; nothing was recorded.', {
        hint: 'Say what has to change, each finding with file and line where there is one.',
      });
    }
    return await this.#context.commands.run(caller, intent, async (act) => {
      const task = await findTask(act.tx, act.projectId, given.taskId);
      if (task === undefined) throw noTask(given.taskId);
      const review = await this.#reviewFor(act, caller, task, given);
      const state = given.verdict === 'PASS' ? 'passed' : 'not_passed';
      if (review.state === state) return await this.#outcome(act, task.id);
      if (!(await decideReview(act.tx, review, state, given.findings, act.now)))
        throw new Error(`a review of ${task.id} changed within its own transaction`);
      const passed = await countPassed(act.tx, task.id, task.revision);
      const facts = {
        reviewer: caller.name,
        revision: task.revision,
        verdict: given.verdict,
        findings: given.findings.length,
        passed,
        quorum: task.quorum,
      };
      await act.emit('review.submitted', task.id, facts);
      traceVerdict(act, task, { ...review, verdict: given.verdict });
      if (review.messageId !== null) await settleMessage(act, review.messageId, caller.agentId);
      await this.#tell(act, caller, task, given, passed);
      if (state === 'not_passed') await this.#sendBack(act, caller, task, given, facts);
      else if (passed >= task.quorum) await this.#ends.pass(act, task, caller, facts);
      return await this.#outcome(act, task.id);
    });
  }

  /** Duty: the creator of a task learns once that a reviewer is gone or silent. The review stays owed. */
  async tellLate(): Promise<number> {
    const { time, limits, db, commands } = this.#context;
    const late = await db.read((read) =>
      lateReviews(read, time.now() - limits.reviewSilentMs, time.now() - limits.askAbsenceMs, limits.dueBatch),
    );
    for (const candidate of late) {
      await commands.runAs(candidate.projectId, HUB_ACTOR, async (act) => {
        const review = await findReview(act.tx, candidate.taskId, candidate.revision, candidate.reviewerId);
        const task = await findTask(act.tx, act.projectId, candidate.taskId);
        if (review?.state !== 'owed' || review.overdueToldAt !== null || task === undefined) return;
        await markOverdueTold(act.tx, review, act.now);
        const reviewer = await findAgent(act.tx, review.reviewerId);
        const name = reviewer?.name ?? 'unknown';
        await act.emit('review.overdue', task.id, { reviewer: name, revision: review.revision });
        const seen =
          act.now - review.requestedAt < limits.reviewSilentMs
            ? `is gone since ${toIso(reviewer?.lastSeenAt ?? review.requestedAt)}`
            : 'gave none';
        const body = `A verdict on ${task.id}, revision ${review.revision}, was asked of ${name} at ${toIso(review.requestedAt)}; ${name} ${seen}. The review stays owed. update_task with state completed accepts the result without it, with state submitted lets the task be done again; cancel_task ends it.`;
        await this.#notices.tell(act, task, [task.creatorId], 'review overdue', body);
      });
    }
    return late.length;
  }

  /** A result came in: every reviewer but its author is asked, in the author's words. */
  async #ask(act: Act, task: TaskRow, by: Actor): Promise<void> {
    const author = task.holderId === null ? undefined : await findAgent(act.tx, task.holderId);
    const asked: AgentRow[] = [];
    for (const id of task.reviewers) {
      const reviewer = await findAgent(act.tx, id);
      if (
        reviewer !== undefined &&
        !(task.holderId !== null && (await isKin(act.tx, { agentId: reviewer.id }, { agentId: task.holderId })))
      )
        asked.push(reviewer);
    }
    if (asked.length < task.quorum) {
      const reason = `${task.quorum} of its reviewers must pass it, and only ${asked.length} may judge the work of ${author?.name ?? 'its author'}`;
      await this.#ends.needAttention(act, task, HUB_ACTOR, reason);
      return;
    }
    const result = task.resultN === null ? undefined : await findResult(act.tx, task.id, task.resultN);
    const speaker = author ?? (await findAgentByName(act.tx, act.projectId, HUB));
    if (speaker === undefined) throw new Error('the project has no principal hub');
    for (const reviewer of asked) {
      const messageId = await this.#notices.askForReview(act, task, reviewer, speaker, result?.result ?? '');
      await insertReview(act.tx, {
        taskId: task.id,
        revision: task.revision,
        reviewerId: reviewer.id,
        projectId: act.projectId,
        author: { agentId: by.agentId, sessionId: by.sessionId ?? by.agentId },
        messageId,
        requestedAt: act.now,
      });
    }
    const reviewers = asked.map(({ name }) => name);
    await act.emit('review.requested', task.id, { revision: task.revision, reviewers, quorum: task.quorum });
  }

  async #reviewFor(act: Act, caller: Caller, task: TaskRow, given: Submission): Promise<ReviewRow> {
    const review = await findReview(act.tx, task.id, given.revision, caller.agentId);
    const own = task.holderId === caller.agentId || (review !== undefined && (await isSameHand(act.tx, caller, review.author)));
    if (own) {
      throw new HubError('forbidden', `${task.id} is your own work; nobody reviews their own, nothing was recorded.`, {
        hint: 'Its reviewers decide; get_task shows who they are.',
      });
    }
    const next = given.verdict === 'PASS' ? 'passed' : 'not_passed';
    if (review?.state === next && given.revision === task.revision) return review;
    if (task.state === 'in_review' && given.revision !== task.revision) {
      throw new HubError('conflict', `Revision ${task.revision} of ${task.id} is in review, not ${given.revision}; nothing was recorded.`, {
        hint: 'Look at the new result with get_task, then give your verdict on it.',
      });
    }
    if (task.state !== 'in_review' || (review !== undefined && !REVIEW_TRANSITIONS[review.state].includes(next))) {
      throw new HubError(
        'conflict',
        `Revision ${given.revision} of ${task.id} is not in review (the task is ${task.state}); nothing was recorded.`,
        {
          hint: 'You are asked when a result is handed in, and again for each revision of it.',
        },
      );
    }
    if (review === undefined) {
      throw new HubError('forbidden', `You are not asked to review ${task.id}; nothing was recorded.`, {
        hint: 'get_open_threads lists the reviews that you owe; what you found can be told by send.',
      });
    }
    return review;
  }

  /** M-28: the author and whoever wants the task done learn of every verdict, in the reviewer's words. */
  async #tell(act: Act, caller: Caller, task: TaskRow, { verdict, findings }: Submission, passed: number): Promise<void> {
    const counts = `revision ${task.revision}: ${verdict}, ${passed} of ${task.quorum} passed`;
    const words = findings.length === 0 ? 'No findings.' : findings.map((finding) => `- ${finding}`).join('\n');
    await this.#notices.say(act, task, caller, [task.holderId, task.creatorId], `review_submitted ${counts}`, words);
  }

  /** Back into the hands of its author, under a lease of its own time and the same token; without an author it is free again. */
  async #sendBack(act: Act, caller: Caller, task: TaskRow, { findings }: Submission, facts: Record<string, unknown>): Promise<void> {
    const note = findings.join('\n');
    const back = { act: 'changes_requested', by: caller, note, facts } as const;
    if (task.holderId === null) await changeTask(act, task.id, { ...back, to: 'submitted' });
    else await changeTask(act, task.id, { ...back, to: 'working', set: this.#leases.fresh(act.now) });
  }

  async #outcome(act: Act, taskId: string): Promise<Outcome> {
    const task = await findTask(act.tx, act.projectId, taskId);
    if (task === undefined) throw noTask(taskId);
    return {
      state: task.state,
      revision: task.revision,
      passed: await countPassed(act.tx, task.id, task.revision),
      quorum: task.quorum,
    };
  }
}
