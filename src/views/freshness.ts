// How long a view stays true: which events may change it, and after how long time alone may have. Events never carry a view's content; they
// only say that it is to be fetched again, so that what a page shows after any sequence of events is what a fresh page would show.
// This file imports nothing: the page is built with it. A test holds it to the truth by changing things at random.

export type Freshness = {
  /** The kinds of events, the words before the dot, that may change it. */
  touchedBy: readonly string[];
  /** What time changes without any event (presence, age, deadlines); null when nothing. */
  freshMs: number | null;
};

const SECOND = 1_000;

export const FRESHNESS = {
  projects: {
    touchedBy: ['task', 'project', 'agent', 'approval', 'ask', 'message', 'reminder', 'thread', 'profile'],
    freshMs: 30 * SECOND,
  },
  // Obligations of every kind are told in it, with the presence of those who owe them.
  overview: {
    touchedBy: [
      'message',
      'ask',
      'task',
      'review',
      'approval',
      'agent',
      'session',
      'project',
      'door',
      'wake',
      'turn',
      'retention',
      'policy',
      'profile',
    ],
    freshMs: 10 * SECOND,
  },
  waiting: {
    touchedBy: ['task', 'approval', 'message', 'ask', 'reminder', 'thread', 'agent', 'retention', 'policy', 'profile'],
    freshMs: 30 * SECOND,
  },
  approvals: { touchedBy: ['approval', 'agent', 'retention', 'policy'], freshMs: null },
  asks: { touchedBy: ['ask', 'agent', 'retention'], freshMs: null },
  agents: { touchedBy: ['agent', 'session', 'message', 'ask', 'door', 'wake', 'turn', 'policy', 'profile'], freshMs: 5 * SECOND },
  // It holds whatever get_open_threads tells, which grows with every kind of obligation.
  agent: { touchedBy: ['*'], freshMs: 5 * SECOND },
  threads: { touchedBy: ['message', 'agent', 'retention'], freshMs: null },
  thread: {
    touchedBy: ['message', 'thread', 'agent', 'session', 'door', 'wake', 'turn', 'policy', 'retention'],
    freshMs: 15 * SECOND,
  },
  board: { touchedBy: ['task', 'review', 'agent', 'session', 'retention'], freshMs: 15 * SECOND },
  tasks: { touchedBy: ['*'], freshMs: 15 * SECOND }, // its revision grows with every change
  task: { touchedBy: ['task', 'review', 'agent', 'session', 'retention'], freshMs: 15 * SECOND },
  reminders: { touchedBy: ['reminder', 'agent', 'retention', 'profile'], freshMs: null },
  // Calls of a holder renew what it holds, which is no event.
  reservations: { touchedBy: ['reservation', 'agent', 'session'], freshMs: 10 * SECOND },
  // A refusal is told by a hook, and no event.
  refusals: { touchedBy: [], freshMs: 10 * SECOND },
  health: { touchedBy: [], freshMs: 20 * SECOND },
  // Reports and plots tell of the past, and are dear to make: they are made again after a while, not after every event.
  stats: { touchedBy: [], freshMs: 30 * SECOND },
  activity: { touchedBy: [], freshMs: 10 * SECOND },
  events: { touchedBy: ['*'], freshMs: null },
} as const satisfies Record<string, Freshness>;

export type ViewName = keyof typeof FRESHNESS;

/** Whether an event of this type may have changed the view. */
export function touches(view: ViewName, type: string): boolean {
  const kinds: readonly string[] = FRESHNESS[view].touchedBy;
  return kinds.includes('*') || kinds.includes(type.split('.')[0] ?? '');
}
