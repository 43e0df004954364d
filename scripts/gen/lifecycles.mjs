// docs/lifecycles.md: the states that things go through, from the transitions in the code, with the words that say when. A transition without
// words, and words without a transition, fail.

import { built, NOTE, table } from './markdown.mjs';

const { DELIVERY_TRANSITIONS } = await built('store/deliveries.js');
const { ASK_TRANSITIONS } = await built('hub/asks.js');
const { APPROVAL_TRANSITIONS } = await built('hub/approvals.js');
const { RESERVATION_TRANSITIONS } = await built('hub/reservations.js');
const { REMINDER_TRANSITIONS } = await built('hub/reminders.js');
const { REVIEW_TRANSITIONS } = await built('hub/reviews.js');
const { TASK_TRANSITIONS } = await built('hub/task-states.js');
const { WAKE_TRANSITIONS } = await built('store/wake-attempts.js');

export const files = {
  'docs/lifecycles.md': [
    NOTE,
    '# Lifecycles',
    '',
    'The states that things go through. The transitions are constants of the code; a test watches the database and holds every change to them.',
    '',
    lifecycle('Delivery', 'A message for one recipient.', DELIVERY_TRANSITIONS, 'ready', {
      'ready > leased': 'shown by recv_batch, under a receipt',
      'ready > acked': 'acknowledged by id, or replied to, without having been shown',
      'ready > dead': 'its stored row is damaged',
      'ready > expired': 'its time ran out',
      'ready > recalled': 'another took it (any:), or its ask was withdrawn',
      'leased > leased': 'shown again: attempt + 1, a new receipt; the older one is stale',
      'leased > acked': 'receipt or id echoed, or replied to',
      'leased > ready': 'returned by its reader (nack), after a delay',
      'leased > dead': 'not acknowledged after 8 attempts over 10 minutes, or damaged',
      'leased > expired': 'its time ran out',
      'leased > recalled': 'its taker is gone (any:), or its ask was withdrawn',
      'dead > ready': 'requeued by a manager or the operator',
      'recalled > ready': 'offered again: its taker returned it or is gone (any:)',
    }),
    lifecycle('Ask', 'A question to one agent or the operator. Every end reaches the asker’s inbox.', ASK_TRANSITIONS, 'open', {
      'open > answered': 'the first answer of its target; later ones are kept as late',
      'open > declined': 'its target declines, with a reason',
      'open > cancelled': 'its asker, a manager or the operator withdraws it',
      'open > expired': 'its deadline passed',
    }),
    lifecycle(
      'Approval',
      'A yes to exactly one act. Decided by whom its risk asks for, never by a hand in the act; no decision in time is a no.',
      APPROVAL_TRANSITIONS,
      'pending',
      {
        'pending > approved': 'a manager or the operator says yes, or the policy does at low risk',
        'pending > denied': 'a manager or the operator says no',
        'pending > expired': 'nobody decided in time: that counts as a no',
        'approved > consumed': 'used for exactly that action, once',
        'approved > expired': 'not used in time',
      },
    ),
    lifecycle('Reservation', 'What an agent keeps for itself, or shares, for a while.', RESERVATION_TRANSITIONS, 'held', {
      'held > released': 'given back by its holder, a manager or the operator',
      'held > expired': 'its holder was silent for its lease, or left for longer than the grace',
    }),
    lifecycle(
      'Reminder',
      'Something to be told later. A recurring one stays pending until its last run.',
      REMINDER_TRANSITIONS,
      'pending',
      {
        'pending > done': 'it fired for the last time, or what it waited for is no longer open',
        'pending > cancelled': 'its owner, a manager or the operator cancels it',
        'pending > parked': 'it failed five times',
        'parked > pending': 'retried by its owner, a manager or the operator',
        'parked > cancelled': 'its owner, a manager or the operator cancels it',
      },
    ),
    lifecycle(
      'Wake-up',
      'One attempt to wake an idle client by one of its doors. An agent has one at a time.',
      WAKE_TRANSITIONS,
      'claimed',
      {
        'claimed > sent': 'its host wrote to the client, and nothing refused it',
        'claimed > failed': 'its host could not, or said nothing more for a minute',
        'claimed > read': 'the agent read before its host said that it was sent: the door is proven',
        'sent > read': 'the agent read: the door is proven',
        'sent > no_effect': 'half a minute without any sign of the client, or a turn that ended without reading',
      },
    ),
    lifecycle(
      'Task',
      'Work for one holder at a time, under a lease and a fencing token, in the words of A2A. A state that follows itself is a change within it.',
      TASK_TRANSITIONS,
      'submitted',
      {
        'submitted > submitted': 'what it waited for ended, it was assigned, or an offer was declined',
        'submitted > working': 'claimed: the fencing token rises',
        'submitted > in_review': 'all its children completed, and it is reviewed',
        'submitted > completed': 'all its children completed, a result was reused, or its end was told from outside',
        'submitted > failed': 'its deadline passed and that fails it, or its end was told from outside',
        'submitted > canceled': 'by its owner, a manager or the operator, with its parent, or with what it depends on',
        'submitted > rejected': 'its assignee declines it',
        'submitted > needs_attention': 'one of its children did not complete',
        'working > working': 'progress, or a hand-off offered, accepted or declined',
        'working > input_required': 'its holder asks its owner',
        'working > in_review': 'a result was handed in, and it is reviewed',
        'working > completed': 'a result was handed in, with what was expected',
        'working > failed': 'its holder says so, or its deadline passed and that fails it',
        'working > canceled': 'by its owner, a manager or the operator, or with its parent',
        'working > submitted': 'its lease ended, its holder gave it back, or its owner took it back: the fencing token rises',
        'working > needs_attention': 'the last attempt ended without a result, or expected artifacts are missing',
        'input_required > input_required': 'progress, or a hand-off',
        'input_required > working': 'the question ended, or its holder goes on without the answer',
        'input_required > in_review': 'as from working',
        'input_required > completed': 'as from working',
        'input_required > failed': 'as from working',
        'input_required > canceled': 'as from working',
        'input_required > submitted': 'as from working',
        'input_required > needs_attention': 'as from working',
        'in_review > in_review': 'a new revision: verdicts on older ones no longer count',
        'in_review > working': 'changes were requested: its author goes on',
        'in_review > submitted': 'changes were requested and its author is gone, or its owner has it done again',
        'in_review > completed': 'enough reviewers passed it, or a manager or the operator accepts it without them',
        'in_review > failed': 'its deadline passed and that fails it',
        'in_review > canceled': 'by its owner, a manager or the operator, or with its parent',
        'in_review > needs_attention': 'its reviewers cannot decide, or expected artifacts are missing',
        'needs_attention > needs_attention': 'a change that decides nothing',
        'needs_attention > submitted': 'its owner has it tried again',
        'needs_attention > completed': 'its owner accepts it as it is',
        'needs_attention > failed': 'its deadline passed and that fails it',
        'needs_attention > canceled': 'by its owner, a manager or the operator, or with its parent',
        'failed > submitted': 'its owner has it tried again',
        'rejected > submitted': 'its owner has it tried again',
      },
    ),
    lifecycle(
      'Review',
      'The verdict of one reviewer on one revision of a task. Only submit_review gives one.',
      REVIEW_TRANSITIONS,
      'owed',
      {
        'owed > passed': 'PASS; as many as the quorum complete the task',
        'owed > not_passed': 'NOT_PASS, with findings: the task goes back to its holder',
        'owed > moot': 'the task left the review, or another revision was handed in',
        'passed > not_passed': 'the reviewer takes its PASS back, while that revision is in review',
      },
    ),
  ].join('\n'),
};

/** A picture and a table of what may follow what, with the words that say when. */
function lifecycle(title, words, transitions, start, when) {
  const arrows = Object.entries(transitions).flatMap(([from, states]) => states.map((to) => [from, to]));
  const ends = Object.keys(transitions).filter((state) => transitions[state].length === 0);
  const missing = arrows.filter(([from, to]) => when[`${from} > ${to}`] === undefined);
  const unknown = Object.keys(when).filter((key) => !arrows.some(([from, to]) => key === `${from} > ${to}`));
  if (missing.length + unknown.length > 0)
    throw new Error(`${title}: the words and the code differ: ${JSON.stringify({ missing, unknown })}`);
  return [
    `## ${title}`,
    '',
    words,
    '',
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${start}`,
    ...arrows.map(([from, to]) => `  ${from} --> ${to}`),
    ...ends.map((state) => `  ${state} --> [*]`),
    '```',
    '',
    table(
      ['from', 'to', 'when'],
      arrows.map(([from, to]) => [`\`${from}\``, `\`${to}\``, when[`${from} > ${to}`]]),
    ),
    '',
  ].join('\n');
}
