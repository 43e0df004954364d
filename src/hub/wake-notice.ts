// The words by which a wake-up enters a client as a prompt, and how they are known again. A prompt that nothing else was put into may come late:
// its mail has been read meanwhile, and a hook can keep it from becoming a turn.

import { frame } from './frame.ts';
import type { Ids } from './ids.ts';

const QUEUED = 'A notice of the coordination hub, not of your user:';
const POSTED = '<cross-session-message from-name="hub">';
const POSTED_END = '</cross-session-message>';

/** For a client that takes it for words of its user: framed, so that it is not. */
export function queuedNotice(ids: Ids, line: string): string {
  return `${QUEUED}\n${frame(ids, [line])}`;
}

/** For a session of Claude Code, as words of another session. */
export function postedNotice(line: string): string {
  return `${POSTED}\n${line}\n${POSTED_END}`;
}

const NOTICE = new RegExp(
  `^(?:${QUEUED}\\n\\[data [^\\n]*\\]|${POSTED})\\n[^\\n]*\\((wak_[a-z0-9]+)\\)\\n(?:\\[end of data [^\\n]*\\]|${POSTED_END})$`,
);

/** The id of the wake-up that a prompt is, and nothing else; undefined for any other. */
export function wakeUpIn(prompt: string): string | undefined {
  return NOTICE.exec(prompt.trim())?.[1];
}

/** Whether a prompt tells of a wake-up, alone or among other words. A client that does not say its prompt may have been given it. */
export function tellsOf(prompt: string | undefined, attemptId: string): boolean {
  return prompt === undefined || prompt.includes(attemptId);
}
