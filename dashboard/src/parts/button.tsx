// Buttons that act, and the words that say why one was refused.

import type { ComponentChildren } from 'preact';
import type { Act } from '../store.ts';
import { Trouble } from './frame.tsx';

export function Button({
  act,
  onClick,
  kind = 'plain',
  label,
  disabled = false,
  children,
}: {
  act: Act;
  onClick: () => void;
  kind?: 'main' | 'plain' | 'danger';
  /** For those who do not see what the button stands beside. */
  label?: string;
  disabled?: boolean;
  children: ComponentChildren;
}) {
  return (
    <button
      type="button"
      class={`button ${kind}`}
      aria-label={label}
      aria-busy={act.busy}
      disabled={act.busy || disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

export function Refused({ act }: { act: Act }) {
  return act.refusal === undefined ? null : <Trouble error={act.refusal} />;
}
