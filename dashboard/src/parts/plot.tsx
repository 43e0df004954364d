// A plot over time (uPlot), in the colours of the page, as wide as its place; what it shows is also said in its caption.

import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export type Line = {
  label: string;
  values: (number | null)[];
  colour: string;
  as: 'bars' | 'thin bars' | 'line';
  say?: (value: number) => string;
};

const HEIGHT = 150;

export function Plot({
  at,
  lines,
  caption,
  say,
  even = false,
  ofTime = false,
}: {
  at: number[];
  lines: Line[];
  caption: string;
  say: (value: number) => string;
  /** One beside the other, however much time lies between them. */
  even?: boolean;
  /** The values are lengths of time, in milliseconds. */
  ofTime?: boolean;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const shape = lines.map(({ label, as, colour }) => `${label} ${as} ${colour}`).join();
  const table = [even ? at.map((_at, index) => index) : at, ...lines.map(({ values }) => values)] as uPlot.AlignedData;
  const places = useRef(at);
  places.current = at;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(element, lines, { say, ofTime, places: even ? places : undefined }), table, element);
    };
    draw();
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    sized.observe(element);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      sized.disconnect();
      themed.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(table), [table]);
  return (
    <figure class="plot">
      <div ref={place} aria-hidden="true" />
      <figcaption>
        {lines.map(({ label, colour, as }) => (
          <span class="key" key={label}>
            <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true">
              <rect x="0" y={as === 'line' ? 5 : 2} width="12" height={as === 'line' ? 2.5 : 8} rx="1" fill={`var(${colour})`} />
            </svg>
            {label}
          </span>
        ))}
        <span class="caption">{caption}</span>
      </figcaption>
    </figure>
  );
}

type Manner = { say: (value: number) => string; ofTime: boolean; places: { current: number[] } | undefined };

const DAY = 86_400;
/** Steps of an axis of time that people count in: of milliseconds, seconds, minutes, hours, days. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map((n) => n * 1_000),
  ...[1, 2, 5, 10, 20, 30].map((n) => n * 60_000),
  ...[1, 2, 4, 8, 12].map((n) => n * 3_600_000),
  ...[1, 2, 7].map((n) => n * DAY * 1_000),
];

function options(element: HTMLElement, lines: Line[], { say, ofTime, places }: Manner): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--ink-3'),
    font: `11px ${style.fontFamily}`,
    ticks: { show: false },
    grid: { stroke: colour('--line'), width: 1 },
  };
  const hasBars = lines.some(({ as }) => as !== 'line');
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
    scales: {
      x: { time: places === undefined, range: (plot, low, high) => roomFor(hasBars ? plot.data[0] : [], low, high) },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.15 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        space: 70,
        splits: (plot, _index, low, high, step) => ticksOf(plot.data[0], low, high, step, places !== undefined),
        values: (_plot, ticks) => {
          const instants = ticks.map((tick) => (places === undefined ? tick : (places.current[tick] ?? 0)));
          return instants.map((instant) => clock(instant, instants));
        },
      },
      { ...axis, size: 52, space: 36, ...(ofTime ? { incrs: TIME_STEPS } : {}), values: (_plot, ticks) => ticks.map((tick) => say(tick)) },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => {
        const paint = colour(line.colour);
        return line.as !== 'line'
          ? {
              label: line.label,
              fill: paint,
              stroke: paint,
              width: 0,
              points: { show: false },
              ...barPaths(line.as === 'bars' ? 0.75 : 0.3),
            }
          : {
              label: line.label,
              stroke: paint,
              width: 2,
              spanGaps: true,
              points: { show: line.values.filter((v) => v !== null).length < 8, size: 5 },
            };
      }),
    ],
  };
}

/** Half a bar at either end, so that the first and the last are as wide as the others. */
function roomFor(at: ArrayLike<number>, low: number, high: number): [number, number] {
  const half = at.length < 2 ? (at.length === 1 ? DAY / 2 : 0) : ((at[1] ?? 0) - (at[0] ?? 0)) / 2;
  return [low - half, high + half];
}

/** Where the axis of time has words: at round instants; where there are few places, or they are days, at places. */
function ticksOf(at: ArrayLike<number>, low: number, high: number, step: number, even: boolean): number[] {
  const places = Array.from(at);
  const apart = (places[1] ?? 0) - (places[0] ?? 0);
  if (even || apart >= DAY || places.length === 1) {
    const every = Math.max(1, Math.ceil(places.length / Math.max(1, Math.floor((high - low) / Math.max(step, 1e-9)))));
    return places.filter((_place, index) => index % every === 0);
  }
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
  return ticks;
}

function barPaths(share: number): { paths?: uPlot.Series.PathBuilder } {
  const paths = uPlot.paths.bars?.({ size: [share, share * 18], radius: 0.2 });
  return paths === undefined ? {} : { paths };
}

/** The hour, or over days the day. */
function clock(tick: number, ticks: readonly number[]): string {
  const long = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) >= 2 * 86_400;
  const words: Intl.DateTimeFormatOptions = long ? { weekday: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit' };
  return new Date(tick * 1000).toLocaleString(undefined, words);
}
