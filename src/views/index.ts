// Every view, in the order in which GET /api/views lists them.

import { activity } from './activity.ts';
import { agent } from './agent.ts';
import { agents } from './agents.ts';
import { approvals } from './approvals.ts';
import { asks } from './asks.ts';
import { board } from './board.ts';
import { events } from './events.ts';
import { health } from './health.ts';
import { overview } from './overview.ts';
import { projects } from './projects.ts';
import { refusals } from './refusals.ts';
import { reminders } from './reminders.ts';
import { reservations } from './reservations.ts';
import { stats } from './stats.ts';
import { task } from './task.ts';
import { tasks } from './tasks.ts';
import { thread } from './thread.ts';
import { threads } from './threads.ts';
import type { View } from './view.ts';
import { waiting } from './waiting.ts';

export const views: readonly View<unknown>[] = [
  projects,
  overview,
  waiting,
  approvals,
  asks,
  agents,
  agent,
  threads,
  thread,
  board,
  tasks,
  task,
  reminders,
  reservations,
  refusals,
  activity,
  stats,
  events,
  health,
];

export function findView(name: string): View<unknown> | undefined {
  return views.find((view) => view.name === name);
}
