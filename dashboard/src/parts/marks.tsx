// Marks: what state something is in, by shape and word, and colour only besides.

import type { ComponentChildren } from 'preact';

export type Tone = 'good' | 'wait' | 'busy' | 'warn' | 'bad' | 'quiet';

const PRESENCE: Record<string, { tone: Tone; shape: Shape; means: string }> = {
  ready: { tone: 'good', shape: 'disc', means: 'called a tool within the last minutes' },
  busy: { tone: 'busy', shape: 'half', means: 'in the middle of a turn' },
  waiting: { tone: 'wait', shape: 'target', means: 'waits for mail and is woken at once' },
  starting: { tone: 'quiet', shape: 'dots', means: 'connected; no call yet' },
  idle: { tone: 'quiet', shape: 'ring', means: 'connected; nothing under way' },
  stalled: { tone: 'warn', shape: 'triangle', means: 'was shown messages and has not acknowledged them' },
  gone: { tone: 'quiet', shape: 'dash', means: 'not connected' },
};

const STATES: Record<string, { tone: Tone; shape: Shape }> = {
  ready: { tone: 'wait', shape: 'ring' },
  leased: { tone: 'busy', shape: 'half' },
  acked: { tone: 'good', shape: 'disc' },
  dead: { tone: 'bad', shape: 'cross' },
  expired: { tone: 'quiet', shape: 'dash' },
  recalled: { tone: 'quiet', shape: 'dash' },
  pending: { tone: 'wait', shape: 'ring' },
  parked: { tone: 'bad', shape: 'cross' },
  submitted: { tone: 'wait', shape: 'ring' },
  working: { tone: 'busy', shape: 'half' },
  input_required: { tone: 'warn', shape: 'dots' },
  in_review: { tone: 'busy', shape: 'target' },
  needs_attention: { tone: 'bad', shape: 'triangle' },
  completed: { tone: 'good', shape: 'disc' },
  failed: { tone: 'bad', shape: 'cross' },
  rejected: { tone: 'bad', shape: 'cross' },
  canceled: { tone: 'quiet', shape: 'dash' },
  approved: { tone: 'good', shape: 'disc' },
  used: { tone: 'good', shape: 'target' },
  denied: { tone: 'bad', shape: 'cross' },
  owed: { tone: 'wait', shape: 'ring' },
  passed: { tone: 'good', shape: 'disc' },
  not_passed: { tone: 'bad', shape: 'cross' },
  moot: { tone: 'quiet', shape: 'dash' },
  ok: { tone: 'good', shape: 'disc' },
  warn: { tone: 'warn', shape: 'triangle' },
  fail: { tone: 'bad', shape: 'cross' },
  unknown: { tone: 'quiet', shape: 'ring' },
};

/** The words people understand for the states of a delivery. */
const WORDS: Record<string, string> = {
  ready: 'not shown yet',
  leased: 'shown',
  acked: 'acknowledged',
  dead: 'dead letter',
  submitted: 'to do',
  owed: 'verdict owed',
  moot: 'not needed any more',
};

type Shape = 'disc' | 'half' | 'target' | 'dots' | 'ring' | 'triangle' | 'dash' | 'cross';

export function PresenceMark({ state }: { state: string }) {
  const { tone, shape, means } = PRESENCE[state] ?? { tone: 'quiet', shape: 'ring', means: '' };
  return (
    <span class={`mark ${tone}`} title={means}>
      <Glyph shape={shape} />
      {state}
    </span>
  );
}

export function StateMark({ state, word }: { state: string; word?: string | undefined }) {
  const { tone, shape } = STATES[state] ?? { tone: 'quiet', shape: 'ring' };
  return (
    <span class={`mark ${tone}`}>
      <Glyph shape={shape} />
      {word ?? WORDS[state] ?? state.replace(/_/g, ' ')}
    </span>
  );
}

/** How a state is to be taken. */
export function toneOf(state: string): Tone {
  return STATES[state]?.tone ?? 'quiet';
}

/** From one to another. */
export function Arrow() {
  return (
    <>
      <span aria-hidden="true"> → </span>
      <span class="visually-hidden"> to </span>
    </>
  );
}

export function Badge({ tone = 'quiet', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Glyph({ shape }: { shape: Shape }) {
  return (
    <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true">
      {GLYPHS[shape]}
    </svg>
  );
}

const GLYPHS: Record<Shape, ComponentChildren> = {
  disc: <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  half: (
    <>
      <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M6 1.5a4.5 4.5 0 0 1 0 9z" fill="currentColor" />
    </>
  ),
  target: (
    <>
      <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" stroke-width="1.5" />
      <circle cx="6" cy="6" r="2" fill="currentColor" />
    </>
  ),
  dots: (
    <>
      <circle cx="2" cy="6" r="1.4" fill="currentColor" />
      <circle cx="6" cy="6" r="1.4" fill="currentColor" />
      <circle cx="10" cy="6" r="1.4" fill="currentColor" />
    </>
  ),
  ring: <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />,
  triangle: <path d="M6 1.2 11.2 10.5H.8z" fill="currentColor" />,
  dash: <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2 2.4" />,
  cross: <path d="M2.2 2.2l7.6 7.6M9.8 2.2 2.2 9.8" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" />,
};
