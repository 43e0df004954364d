// What can be seen around a client on its machine: the transcript it writes, the repository it works in. An interface, because the hub reads
// no files of its own (invariant 9); a hub without clients beside it sees nothing.

import type { GitState } from './checkpoints.ts';

export const CLIENT_KINDS = ['claude', 'codex'] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** How a turn ended, as far as a transcript tells. */
export type TurnEnd = 'completed' | 'interrupted' | 'open';

/** What a transcript tells of a turn. */
export type TurnFacts = {
  startedAt: number | null;
  ended: TurnEnd;
  model: string;
  /** Tokens that were neither read from nor written to a cache. */
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** How often which tool was used. */
  tools: Record<string, number>;
};

export type TranscriptQuery = {
  client: ClientKind;
  path: string;
  /** When the turn began, as the hub knows it, and the client's own name for it; null: the last turn in the transcript. */
  since: number | null;
  turnKey: string | null;
  /** Receipts to look for. */
  receipts: readonly string[];
  /** The model's last words, if it has just stopped: everything in the transcript has been before it, and its last words may still be on their way. */
  lastWords: string | null;
};

export type TranscriptFacts = {
  turn: TurnFacts | null;
  /** Of the receipts that were asked for, those that the model was shown and went on after: it has seen what they stand for (C4). */
  proven: string[];
  /** How full the model's context is, 0 to 100; null when the transcript does not tell. */
  contextPercent: number | null;
  /** Files that the model's tools changed, the latest first. */
  filesModified: string[];
};

export interface Surroundings {
  /** Reads the end of a transcript; null when it cannot be read. Never throws. */
  transcript(query: TranscriptQuery): Promise<TranscriptFacts | null>;
  /** The repository of a folder; null when it is in none, or git does not answer in time. Never throws. */
  git(folder: string): Promise<GitState | null>;
}

export const NO_SURROUNDINGS: Surroundings = {
  transcript: async () => null,
  git: async () => null,
};
