// How owed reviews end without a verdict: their task left the review, or a newer revision of it came in.

import { findAgent } from '../store/agents.ts';
import { allOwedReviews, dropReview } from '../store/reviews.ts';
import type { Act } from './command.ts';
import { withdrawMessage } from './settling.ts';

/** Nobody waits for these verdicts any more. Who has not read the request never will; who has, finds it gone from what is owed. */
export async function dropOwedReviews(act: Act, taskId: string, which: (revision: number) => boolean): Promise<void> {
  for (const review of await allOwedReviews(act.tx, taskId)) {
    if (!which(review.revision) || !(await dropReview(act.tx, review, act.now))) continue;
    const reviewer = (await findAgent(act.tx, review.reviewerId))?.name ?? 'unknown';
    await act.emit('review.moot', taskId, { reviewer, revision: review.revision });
    if (review.messageId !== null)
      await withdrawMessage(act, review.messageId, review.reviewerId, 'recalled', 'the review is no longer needed');
  }
}
