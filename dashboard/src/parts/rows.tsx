// A long list of rows of one height, of which only those in sight exist: a thousand agents cost what twenty do.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const BEYOND = 8;

export function Rows<T>({
  items,
  height,
  label,
  keyOf,
  children,
  onEnd,
}: {
  items: readonly T[];
  height: number;
  label: string;
  keyOf: (item: T) => string;
  children: (item: T) => ComponentChildren;
  /** The end is in sight. */
  onEnd?: (() => void) | undefined;
}) {
  const list = useRef<HTMLUListElement>(null);
  const [sight, setSight] = useState({ first: 0, last: 40 });
  useEffect(() => {
    const look = () => {
      const top = -(list.current?.getBoundingClientRect().top ?? 0);
      const first = Math.max(0, Math.floor(top / height) - BEYOND);
      const last = Math.ceil((top + innerHeight) / height) + BEYOND;
      setSight((old) => (old.first === first && old.last === last ? old : { first, last }));
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [height, items.length]);
  const atEnd = sight.last >= items.length;
  useEffect(() => {
    if (atEnd && items.length > 0) onEnd?.();
  }, [atEnd, items.length, onEnd]);
  const shown = items.slice(sight.first, sight.last);
  return (
    <ul class="rows" ref={list} aria-label={label} style={{ height: `${items.length * height}px` }}>
      {shown.map((item, index) => (
        <li
          class="row"
          key={keyOf(item)}
          aria-setsize={items.length}
          aria-posinset={sight.first + index + 1}
          style={{ transform: `translateY(${(sight.first + index) * height}px)`, height: `${height}px` }}
        >
          {children(item)}
        </li>
      ))}
    </ul>
  );
}
