// What stands around every page: where one can go and how much waits there, the project, whether the page is live, and the way out.

import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LiveState } from './live.ts';
import { AgentPage } from './pages/agent.tsx';
import { AgentsPage } from './pages/agents.tsx';
import { EventsPage } from './pages/events.tsx';
import { HealthPage } from './pages/health.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { RemindersPage } from './pages/reminders.tsx';
import { TaskPage } from './pages/task.tsx';
import { TasksPage } from './pages/tasks.tsx';
import { ThreadPage } from './pages/thread.tsx';
import { ThreadsPage } from './pages/threads.tsx';
import { WaitingPage, waitingCount } from './pages/waiting.tsx';
import { ICONS } from './parts/icons.tsx';
import { hrefOf, type Place, usePlace } from './router.ts';
import { useDesk, useView } from './store.ts';
import { ThemeButton } from './theme.tsx';

/** `one`: what is shown of a single thing of that kind. */
type Page = { name: string; title: string; show: ComponentType<{ place: Place }>; one?: ComponentType<{ place: Place }> };

const PAGES: Page[] = [
  { name: 'overview', title: 'Overview', show: OverviewPage },
  { name: 'waiting', title: 'Waiting for you', show: WaitingPage },
  { name: 'agents', title: 'Agents', show: AgentsPage, one: AgentPage },
  { name: 'threads', title: 'Threads', show: ThreadsPage, one: ThreadPage },
  { name: 'tasks', title: 'Tasks', show: TasksPage, one: TaskPage },
  { name: 'reminders', title: 'Reminders', show: RemindersPage },
  { name: 'events', title: 'Events', show: EventsPage },
  { name: 'health', title: 'Health', show: HealthPage },
];

export function Shell({ live, onReconnect, onProject }: { live: LiveState; onReconnect: () => void; onProject: (id: string) => void }) {
  const place = usePlace();
  const waiting = waitingCount(useView('waiting').value);
  const page = PAGES.find(({ name }) => name === place.page) ?? PAGES[0];
  const main = useRef<HTMLElement>(null);
  const title = page?.title ?? '';
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${title} · Rookery`;
  }, [title, waiting]);
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    scrollTo(0, 0);
    // On a narrow screen the pages scroll sideways.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [place.page, place.id]);
  if (page === undefined) return null;
  const Show = (place.id === '' ? undefined : page.one) ?? page.show;
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header class="side">
        <div class="brand">
          <img src="/rookery.svg" alt="" width="28" height="28" />
          <span>Rookery</span>
        </div>
        <ProjectChoice onProject={onProject} />
        <nav aria-label="Pages" ref={nav}>
          {PAGES.map(({ name, title: words }) => (
            <a key={name} href={hrefOf(name)} aria-current={name === page.name ? 'page' : undefined}>
              {ICONS[name]}
              <span>{words}</span>
              {name === 'waiting' && waiting > 0 ? <span class="count">{waiting}</span> : null}
            </a>
          ))}
        </nav>
        <Foot live={live} />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {live.status === 'lost' ? <Lost live={live} onReconnect={onReconnect} /> : null}
        <Show key={`${place.page}/${place.id}`} place={place} />
      </main>
    </div>
  );
}

function ProjectChoice({ onProject }: { onProject: (id: string) => void }) {
  const { value } = useView('projects');
  if (value === undefined) return <div class="project" />;
  const current = value.projects.find(({ id }) => id === value.current);
  return (
    <div class="project">
      <label>
        <span class="visually-hidden">Project</span>
        <select value={value.current} title={current?.root} onChange={(event) => onProject(event.currentTarget.value)}>
          {value.projects.map(({ id, name, agents, waiting }) => (
            <option key={id} value={id}>
              {name}
              {id === value.current ? '' : ` · ${agents} ${agents === 1 ? 'agent' : 'agents'}${waiting > 0 ? `, ${waiting} waiting` : ''}`}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Foot({ live }: { live: LiveState }) {
  const { client } = useDesk();
  const words: Record<LiveState['status'], string> = { live: 'Live', connecting: 'Connecting', lost: 'Not connected' };
  return (
    <div class="foot">
      <span class={`live ${live.status}`} role="status">
        <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true">
          {live.status === 'live' ? (
            <circle cx="6" cy="6" r="4" fill="currentColor" />
          ) : (
            <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2 2" />
          )}
        </svg>
        {words[live.status]}
      </span>
      <ThemeButton />
      <button type="button" class="quiet-button" onClick={() => void client.signOut()}>
        Sign out
      </button>
    </div>
  );
}

function Lost({ live, onReconnect }: { live: LiveState; onReconnect: () => void }): ComponentChildren {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((live.retryAt - Date.now()) / 1000));
  return (
    <div class="lost" role="alert">
      <p>
        <strong>The hub does not answer.</strong> What you see is how things were.{' '}
        {live.retryAt === 0 || seconds === 0 ? 'Trying…' : <span aria-hidden="true">Trying again in {seconds} s.</span>}
      </p>
      <button type="button" class="button plain" onClick={onReconnect}>
        Try now
      </button>
    </div>
  );
}
