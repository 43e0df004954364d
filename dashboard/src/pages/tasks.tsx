// Tasks: a board of what is to do, under way, in review, in need of a decision and done; a picture of what waits for what; and what is reserved.

import type { BoardReply } from '../../../src/views/board.ts';
import { Empty, Viewed } from '../parts/frame.tsx';
import { Badge, StateMark } from '../parts/marks.tsx';
import { ReservationLines } from '../parts/reservation-lines.tsx';
import { TaskGraph } from '../parts/task-graph.tsx';
import { Ago, Sentence } from '../parts/time.tsx';
import { hrefOf, type Place, refine } from '../router.ts';
import { useView } from '../store.ts';

export type Task = BoardReply['states'][number]['tasks'][number];
type State = BoardReply['states'][number]['state'];

const COLUMNS: { title: string; states: State[] }[] = [
  { title: 'Needs attention', states: ['needs_attention'] },
  { title: 'To do', states: ['submitted'] },
  { title: 'Under way', states: ['working', 'input_required'] },
  { title: 'In review', states: ['in_review'] },
  { title: 'Ended', states: ['completed', 'failed', 'rejected', 'canceled'] },
];

const FORMS = [
  ['', 'board'],
  ['graph', 'what waits for what'],
  ['reserved', 'what is reserved'],
] as const;

export function TasksPage({ place }: { place: Place }) {
  const as = FORMS.find(([name]) => name === place.params.get('as'))?.[0] ?? '';
  return (
    <>
      <h1>Tasks</h1>
      <div class="filters">
        <fieldset class="choice">
          <legend class="visually-hidden">Shown as</legend>
          {FORMS.map(([name, words]) => (
            <button type="button" key={name} aria-pressed={name === as} onClick={() => refine(place, { as: name })}>
              {words}
            </button>
          ))}
        </fieldset>
      </div>
      {as === 'reserved' ? <Reserved /> : <Tasks asGraph={as === 'graph'} />}
    </>
  );
}

function Tasks({ asGraph }: { asGraph: boolean }) {
  const board = useView('board');
  return <Viewed of={board}>{(value) => (asGraph ? <TaskGraph edges={value.edges} /> : <Board board={value} />)}</Viewed>;
}

function Reserved() {
  const reservations = useView('reservations');
  return <Viewed of={reservations}>{(value) => <ReservationLines held={value.reservations} />}</Viewed>;
}

function Board({ board }: { board: BoardReply }) {
  const total = Object.values(board.counts).reduce((sum, count) => sum + (count ?? 0), 0);
  if (total === 0)
    return (
      <Empty title="There are no tasks.">
        <p>
          An agent hands out work with <code>create_task</code>; another takes it with <code>claim_task</code>, under a lease, so that
          nothing is done twice and nothing is forgotten when its holder dies.
        </p>
      </Empty>
    );
  const columns = COLUMNS.map(({ title, states }) => {
    const of = board.states.filter(({ state }) => states.includes(state));
    return {
      title,
      count: states.reduce((sum, state) => sum + (board.counts[state] ?? 0), 0),
      tasks: of.flatMap(({ tasks }) => tasks).sort((a, b) => (a.id < b.id ? 1 : -1)),
    };
  });
  const titles = new Map(board.states.flatMap(({ tasks }) => tasks.map(({ id, title }) => [id, title] as const)));
  return (
    <div class="board">
      {columns
        .filter(({ title, count }) => count > 0 || title !== 'Needs attention')
        .map(({ title, count, tasks }) => (
          <section key={title} aria-label={title}>
            <h2>
              {title}
              {count === 0 ? null : <span class="count">{count}</span>}
            </h2>
            {tasks.length === 0 ? <p class="faint none">None</p> : null}
            <ul>
              {tasks.map((task) => (
                <li key={task.id}>
                  <TaskTile task={task} titles={titles} ended={title === 'Ended'} />
                </li>
              ))}
            </ul>
            {count > tasks.length ? <p class="faint none">and {count - tasks.length} older ones</p> : null}
          </section>
        ))}
    </div>
  );
}

function TaskTile({ task, titles, ended }: { task: Task; titles: ReadonlyMap<string, string>; ended: boolean }) {
  const { id, title, state, holder, assignee, creator, why, priority, progress, deadline_at, labels = [], attempt } = task;
  return (
    <a class="tile" href={hrefOf('tasks', id)}>
      <span class="tile-title">{title}</span>
      <span class="tile-facts">
        <StateMark state={state} />
        {priority === 'normal' ? null : <Badge tone={priority === 'low' ? 'quiet' : 'warn'}>{priority}</Badge>}
        {attempt === undefined ? null : <Badge tone="warn">attempt {attempt}</Badge>}
      </span>
      <span class="faint">
        {holder ?? (assignee === undefined ? `by ${creator}` : `for ${assignee}`)}
        {deadline_at === undefined || ended ? null : (
          <>
            {' · due '}
            <Ago at={deadline_at} />
          </>
        )}
        {labels.length === 0 ? null : ` · ${labels.join(', ')}`}
      </span>
      {why === undefined ? null : (
        <span class="why">
          <Sentence>
            {why
              .replace(/tsk_\w+/g, (other) => titles.get(other) ?? other)
              .replace(/\((\w+)\)/g, (_all, word: string) => `(${word === 'submitted' ? 'to do' : word.replace(/_/g, ' ')})`)}
          </Sentence>
        </span>
      )}
      {progress === undefined || ended ? null : (
        <progress value={progress} max={100} aria-label={`Progress of ${title}`}>
          {progress} %
        </progress>
      )}
    </a>
  );
}
