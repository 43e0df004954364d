// Times: relative to now, as people say them, with the exact instant on hover; they move by themselves.

import { useEffect, useState } from 'preact/hooks';
import { useDesk } from '../store.ts';

const TICK_MS = 5_000;

const listeners = new Set<() => void>();
setInterval(() => {
  for (const listener of listeners) listener();
}, TICK_MS);

export function Ago({ at, since = false }: { at: string; since?: boolean }) {
  const [, redraw] = useState(0);
  const { client } = useDesk();
  useEffect(() => {
    const tick = () => redraw((n) => n + 1);
    listeners.add(tick);
    return () => void listeners.delete(tick);
  }, []);
  const date = new Date(at);
  const ms = Date.now() + client.skewMs - date.getTime();
  const words = since ? span(ms) : ms >= 0 ? (ms < 5_000 ? 'just now' : `${span(ms)} ago`) : `in ${span(-ms)}`;
  return (
    <time dateTime={at} title={exactly(date)}>
      {words}
    </time>
  );
}

/** Whether an instant is over; roughly, because clocks differ. */
export function isPast(at: string): boolean {
  return Date.parse(at) < Date.now() - 1_000;
}

const STEPS: [number, string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** A length of time in its largest unit. */
export function span(ms: number): string {
  const [unit, name] = STEPS.find(([step]) => Math.abs(ms) >= step) ?? [1_000, 's'];
  return `${Math.floor(Math.abs(ms) / unit)} ${name}`;
}

/** A short length of time, for latencies. */
export function latency(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : span(ms);
}

export function exactly(date: Date): string {
  return date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** A sentence of the hub, in which instants are told as people tell them: the hour, and the day if it is another. */
export function Sentence({ children }: { children: string }) {
  return (
    <>
      {children.split(INSTANT).map((part) =>
        INSTANT.test(part) ? (
          <time key={part} dateTime={part} title={exactly(new Date(part))}>
            {hour(new Date(part))}
          </time>
        ) : (
          part
        ),
      )}
    </>
  );
}

function hour(date: Date): string {
  const today = date.toDateString() === new Date().toDateString();
  const words: Intl.DateTimeFormatOptions = today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' };
  return date.toLocaleString(undefined, words);
}
