// The frames that pages are made of: sections, cards, empty states that teach, and what is shown while a view is fetched or refused.

import type { ComponentChildren } from 'preact';
import { Refusal } from '../hub-client.ts';
import { hrefOf } from '../router.ts';
import type { Snapshot } from '../view-store.ts';

export function Section({
  title,
  count,
  aside,
  children,
  id,
}: {
  title: string;
  count?: number | undefined;
  aside?: ComponentChildren;
  children: ComponentChildren;
  id?: string;
}) {
  return (
    <section class="section" id={id}>
      <header>
        <h2>
          {title}
          {count === undefined || count === 0 ? null : <span class="count">{count}</span>}
        </h2>
        {aside === undefined ? null : <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="empty-words">{children}</div>}
    </div>
  );
}

/** Shows a view once it is there; before that a quiet place, and why it is not when it cannot be had. */
export function Viewed<T>({ of, children }: { of: Snapshot<T>; children: (value: T) => ComponentChildren }) {
  if (of.value !== undefined) return <>{children(of.value)}</>;
  if (of.error !== undefined) return <Trouble error={of.error} />;
  return <div class="loading" aria-busy="true" />;
}

export function Trouble({ error }: { error: unknown }) {
  const { message, hint } = error instanceof Refusal ? error : new Refusal('internal', 'This part of the page failed.');
  return (
    <p class="trouble" role="alert">
      {message}
      {hint === undefined ? null : <span class="hint"> {hint}</span>}
    </p>
  );
}

/** A message’s words: data, shown as they are, never as anything else. */
export function Words({ children }: { children: string }) {
  return <div class="words">{children}</div>;
}

export function Id({ children }: { children: string }) {
  return <code class="id">{children}</code>;
}

/** The way to the whole conversation. */
export function ThreadLink({ id }: { id: string }) {
  return (
    <a class="thread-link" href={hrefOf('threads', id)}>
      The thread
    </a>
  );
}
