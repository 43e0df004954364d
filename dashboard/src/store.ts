// The page's one store and client, and the hooks by which components use them.

import { createContext } from 'preact';
import { useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ActivityReply } from '../../src/views/activity.ts';
import type { AgentReply } from '../../src/views/agent.ts';
import type { AgentsReply } from '../../src/views/agents.ts';
import type { ApprovalsReply } from '../../src/views/approvals.ts';
import type { BoardReply } from '../../src/views/board.ts';
import type { EventsReply } from '../../src/views/events.ts';
import type { HealthReply } from '../../src/views/health.ts';
import type { OverviewReply } from '../../src/views/overview.ts';
import type { ProjectsReply } from '../../src/views/projects.ts';
import type { RemindersReply } from '../../src/views/reminders.ts';
import type { ReservationsReply } from '../../src/views/reservations.ts';
import type { StatsReply } from '../../src/views/stats.ts';
import type { TaskReply } from '../../src/views/task.ts';
import type { ThreadReply } from '../../src/views/thread.ts';
import type { ThreadsReply } from '../../src/views/threads.ts';
import type { WaitingReply } from '../../src/views/waiting.ts';
import { freshKey, type HubClient, Refusal } from './hub-client.ts';
import { type Params, queryOf, type Snapshot, type ViewStore } from './view-store.ts';

/** What each view answers. */
export type Replies = {
  projects: ProjectsReply;
  overview: OverviewReply;
  waiting: WaitingReply;
  approvals: ApprovalsReply;
  reservations: ReservationsReply;
  stats: StatsReply;
  agents: AgentsReply;
  agent: AgentReply;
  threads: ThreadsReply;
  thread: ThreadReply;
  board: BoardReply;
  task: TaskReply;
  reminders: RemindersReply;
  health: HealthReply;
  activity: ActivityReply;
  events: EventsReply;
};

export type Desk = { client: HubClient; store: ViewStore; say: (words: string) => void };

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === undefined) throw new Error('outside of the page');
  return desk;
}

/** A view, kept current while the component is on the page. */
export function useView<N extends keyof Replies>(name: N, params: Params = {}): Snapshot<Replies[N]> {
  const { store } = useDesk();
  const [, redraw] = useState(0);
  const query = queryOf(params);
  // The arguments are equal when their query is.
  const same = useMemo(() => params, [query]);
  useEffect(() => store.watch(name, same, () => redraw((n) => n + 1)), [store, name, same]);
  return toReply(store.peek(name, same));
}

function toReply<T>(snapshot: Snapshot): Snapshot<T> {
  return snapshot as Snapshot<T>;
}

export type Act = {
  busy: boolean;
  refusal: Refusal | undefined;
  /** Answers whether it was done. The same arguments after a failure are the same act. */
  run(tool: string, args: Record<string, unknown>, done: string): Promise<boolean>;
};

/** An act of the operator, with its state for the button that does it. */
export function useAct(): Act {
  const { client, store, say } = useDesk();
  const [state, setState] = useState<{ busy: boolean; refusal: Refusal | undefined }>({ busy: false, refusal: undefined });
  const attempt = useRef<{ what: string; key: string }>(undefined);
  return {
    ...state,
    async run(tool, args, done) {
      const what = JSON.stringify([tool, args]);
      if (attempt.current?.what !== what) attempt.current = { what, key: freshKey() };
      setState({ busy: true, refusal: undefined });
      try {
        await client.act(tool, args, attempt.current.key);
        attempt.current = undefined;
        setState({ busy: false, refusal: undefined });
        say(done);
        return true;
      } catch (error) {
        setState({ busy: false, refusal: error instanceof Refusal ? error : new Refusal('internal', 'The page failed at this.') });
        // What was refused is often no longer so; the page shows how it is now.
        store.touchedAll();
        return false;
      }
    },
  };
}
