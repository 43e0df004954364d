-- What an agent needs to know again when its context is gone, and how full that context is.

-- Append-only. `agent`: words of the agent, which say what it was doing. `hook`: what its client saw, without words.
CREATE TABLE checkpoints (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  session_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('agent', 'hook')),
  current_task TEXT CHECK (trim(current_task) <> ''),
  files_modified TEXT NOT NULL,
  decisions TEXT NOT NULL,
  open_questions TEXT NOT NULL,
  blockers TEXT NOT NULL,
  git_state TEXT,
  note TEXT NOT NULL,
  saved_at INTEGER NOT NULL,
  CHECK ((source = 'agent') = (current_task IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX checkpoints_newest ON checkpoints (agent_id, source, seq);

-- One row per agent: the latest word on how full its context is. A checkpoint is owed while requested_seq is set.
CREATE TABLE context_usage (
  agent_id TEXT PRIMARY KEY REFERENCES agents (id),
  project_id TEXT NOT NULL REFERENCES projects (id),
  session_id TEXT NOT NULL,
  percent INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),
  reported_at INTEGER NOT NULL,
  requested_seq INTEGER,
  requested_at INTEGER,
  covered_percent INTEGER,
  CHECK ((requested_seq IS NULL) = (requested_at IS NULL)),
  CHECK (requested_seq IS NULL OR covered_percent IS NULL)
) STRICT, WITHOUT ROWID;
