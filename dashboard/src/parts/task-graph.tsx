// What waits for what, as a picture: a task stands to the right of all it waits for. The same is said in words below each box's title.

import type { BoardReply } from '../../../src/views/board.ts';
import { hrefOf } from '../router.ts';
import { Empty } from './frame.tsx';
import { StateMark } from './marks.tsx';

type Edge = BoardReply['edges'][number];
type Node = Edge['task'] & { column: number; row: number };

const WIDTH = 204;
const HEIGHT = 66;
const GAP_X = 46;
const GAP_Y = 18;
/** More boxes than this are no picture. */
const MOST = 80;

export function TaskGraph({ edges }: { edges: readonly Edge[] }) {
  if (edges.length === 0)
    return (
      <Empty title="No task waits for another.">
        <p>
          A task created with <code>depends_on</code> waits here until what it needs is done.
        </p>
      </Empty>
    );
  const nodes = layOut(edges);
  const shown = edges.filter((edge) => nodes.has(edge.task.id) && nodes.has(edge.depends_on.id));
  const boxes = [...nodes.values()];
  const width = (Math.max(...boxes.map(({ column }) => column)) + 1) * (WIDTH + GAP_X) - GAP_X;
  const height = (Math.max(...boxes.map(({ row }) => row)) + 1) * (HEIGHT + GAP_Y) - GAP_Y;
  return (
    <>
      <div class="graph">
        <div class="graph-plane" style={{ width: `${width}px`, height: `${height}px` }}>
          <svg width={width} height={height} aria-hidden="true">
            {shown.map((edge) => (
              <path key={`${edge.task.id} ${edge.depends_on.id}`} class={edge.settled ? 'settled' : undefined} d={line(nodes, edge)} />
            ))}
          </svg>
          {boxes.map(({ id, title, state, column, row }) => (
            <a
              key={id}
              class="graph-box"
              href={hrefOf('tasks', id)}
              style={{
                left: `${column * (WIDTH + GAP_X)}px`,
                top: `${row * (HEIGHT + GAP_Y)}px`,
                width: `${WIDTH}px`,
                height: `${HEIGHT}px`,
              }}
            >
              <span class="graph-title">{title}</span>
              <StateMark state={state} />
              <span class="visually-hidden">{waitsFor(shown, id)}</span>
            </a>
          ))}
        </div>
      </div>
      {shown.length < edges.length ? <p class="faint">The newest {nodes.size} tasks that wait or are waited for.</p> : null}
    </>
  );
}

/** Columns by the longest chain of what is waited for; circles cannot be, the hub refuses them. */
function layOut(edges: readonly Edge[]): Map<string, Node> {
  const nodes = new Map<string, Node>();
  for (const { task, depends_on } of edges) {
    if (nodes.size >= MOST) break;
    for (const one of [task, depends_on]) if (!nodes.has(one.id)) nodes.set(one.id, { ...one, column: 0, row: 0 });
  }
  for (let moved = true, rounds = 0; moved && rounds < MOST; rounds++) {
    moved = false;
    for (const edge of edges) {
      const [waiter, needed] = [nodes.get(edge.task.id), nodes.get(edge.depends_on.id)];
      if (waiter === undefined || needed === undefined || waiter.column > needed.column) continue;
      waiter.column = needed.column + 1;
      moved = true;
    }
  }
  const filled = new Map<number, number>();
  for (const node of [...nodes.values()].sort((a, b) => a.column - b.column || (a.id < b.id ? -1 : 1))) {
    const needs = edges.filter(({ task }) => task.id === node.id).map(({ depends_on }) => nodes.get(depends_on.id)?.row ?? 0);
    const wanted = needs.length === 0 ? 0 : Math.min(...needs);
    node.row = Math.max(filled.get(node.column) ?? 0, wanted);
    filled.set(node.column, node.row + 1);
  }
  return nodes;
}

function line(nodes: ReadonlyMap<string, Node>, edge: Edge): string {
  const [from, to] = [nodes.get(edge.depends_on.id), nodes.get(edge.task.id)];
  if (from === undefined || to === undefined) return '';
  const x1 = from.column * (WIDTH + GAP_X) + WIDTH;
  const y1 = from.row * (HEIGHT + GAP_Y) + HEIGHT / 2;
  const x2 = to.column * (WIDTH + GAP_X);
  const y2 = to.row * (HEIGHT + GAP_Y) + HEIGHT / 2;
  return `M${x1} ${y1}C${x1 + GAP_X / 2} ${y1} ${x2 - GAP_X / 2} ${y2} ${x2} ${y2}`;
}

function waitsFor(edges: readonly Edge[], id: string): string {
  const needs = edges.filter(({ task, settled }) => task.id === id && !settled).map(({ depends_on }) => depends_on.title);
  return needs.length === 0 ? '' : `waits for ${needs.join(', ')}`;
}
