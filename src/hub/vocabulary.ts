// The words of what has a life (messages, asks, approvals, reminders) as the front doors need them. They are defined where the rows are, because the
// schema holds them to it.

export { APPROVAL_STATES, DECIDERS, RISKS } from '../store/approvals.ts';
export { ASK_STATES } from '../store/asks.ts';
export { AUTHORITIES, DELIVERY_STATES } from '../store/deliveries.ts';
export { KINDS } from '../store/messages.ts';
export { REMINDER_STATES } from '../store/reminders.ts';
export { RESERVATION_KINDS, RESERVATION_MODES, RESERVATION_STATES } from '../store/reservations.ts';
export { REVIEW_STATES } from '../store/reviews.ts';
export { TASK_ORDERS } from '../store/task-lists.ts';
export { FAILURE_CAUSES, OVERDUE_POLICIES, PRIORITIES, TASK_STATES, VERIFICATIONS } from '../store/tasks.ts';
export { WAKE_DOORS } from '../store/wake-doors.ts';
