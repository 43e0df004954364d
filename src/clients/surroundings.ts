// What the hub is told of clients on this machine: their transcripts and the repositories they work in.

import type { Clock } from '../hub/clock.ts';
import type { Surroundings, TranscriptFacts, TranscriptQuery } from '../hub/surroundings.ts';
import { readGitState } from './git-state.ts';
import { CLAUDE_LINES, hasWords, readClaude } from './transcript-claude.ts';
import { CODEX_LINES, readCodex } from './transcript-codex.ts';
import { readTail } from './transcript-lines.ts';

/** How long the last words of a turn are waited for; they are only needed for its figures. */
const LAST_WORDS_MS = 30;
const LAST_WORDS_TRIES = 4;

export function clientSurroundings(clock: Pick<Clock, 'sleep'>): Surroundings {
  return {
    async transcript(query) {
      try {
        return query.client === 'codex' ? readCodexFile(query) : await readClaudeFile(clock, query);
      } catch {
        return null; // another version of the client writes otherwise
      }
    },
    git: readGitState,
  };
}

function readCodexFile(query: TranscriptQuery): TranscriptFacts | null {
  const lines = readTail(query.path, CODEX_LINES, query.since);
  return lines === null ? null : readCodex(lines, query);
}

async function readClaudeFile(clock: Pick<Clock, 'sleep'>, query: TranscriptQuery): Promise<TranscriptFacts | null> {
  for (let tries = 0; ; tries++) {
    const lines = readTail(query.path, CLAUDE_LINES, query.since);
    if (lines === null) return null;
    if (query.lastWords === null || tries >= LAST_WORDS_TRIES || hasWords(lines, query.lastWords)) return readClaude(lines, query);
    await clock.sleep(LAST_WORDS_MS);
  }
}
