-- What the hooks of clients tell: which process is which session of the client, what an agent is doing just now, and how its turns went.

-- A client's own session by the process that runs it: the server that the same process starts learns from it who it is. A process is a fact of
-- the machine, so it has no project. `born` tells a process from a later one with the same pid.
CREATE TABLE client_processes (
  host TEXT NOT NULL,
  pid BIGINT NOT NULL CHECK (pid > 0),
  born TEXT NOT NULL,
  client_key TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (host, pid)
);

CREATE INDEX client_processes_by_age ON client_processes (seen_at);

-- The process that started the session's server. Two servers of one client share a session.
ALTER TABLE sessions ADD COLUMN client_pid BIGINT;
-- When a hook of this session was last heard; null: its client has none.
ALTER TABLE sessions ADD COLUMN hooked_at BIGINT;
-- The turn that is under way: its name in the client's own words, and the door that woke the agent for it. And when the last one ended.
ALTER TABLE sessions ADD COLUMN turn_started_at BIGINT;
ALTER TABLE sessions ADD COLUMN turn_key TEXT;
ALTER TABLE sessions ADD COLUMN turn_door TEXT;
ALTER TABLE sessions ADD COLUMN turn_ended_at BIGINT;
-- Up to which message its agent was told of mail, and was kept from stopping; and whether the last attempt to stop was refused.
ALTER TABLE sessions ADD COLUMN hinted_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN blocked_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN blocked_at BIGINT;
CREATE INDEX sessions_in_turn ON sessions (turn_started_at) WHERE turn_started_at IS NOT NULL;

-- One row per use of a tool by a client's model: the record of what was done, and while it is open, a tool in flight. Never arguments.
CREATE TABLE tool_uses (
  session_id TEXT NOT NULL REFERENCES sessions (id),
  tool_use_id TEXT NOT NULL,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  sub_agent TEXT NOT NULL DEFAULT '',
  tool TEXT NOT NULL,
  args_digest TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  duration_ms BIGINT CHECK (duration_ms >= 0),
  outcome TEXT CHECK (outcome IN ('ok', 'failed', 'refused', 'lost')),
  PRIMARY KEY (session_id, tool_use_id),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX tool_uses_open ON tool_uses (session_id, started_at) WHERE ended_at IS NULL;
CREATE INDEX tool_uses_by_agent ON tool_uses (agent_id, started_at);
CREATE INDEX tool_uses_by_age ON tool_uses (started_at);

-- One row per turn of a client's model. What its transcript did not tell is null.
CREATE TABLE turns (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  session_id TEXT NOT NULL REFERENCES sessions (id),
  turn_key TEXT,
  result TEXT NOT NULL CHECK (result IN ('completed', 'failed', 'interrupted')),
  wake_door TEXT,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  model TEXT NOT NULL DEFAULT '',
  input_tokens BIGINT CHECK (input_tokens >= 0),
  output_tokens BIGINT CHECK (output_tokens >= 0),
  cache_read_tokens BIGINT CHECK (cache_read_tokens >= 0),
  cache_write_tokens BIGINT CHECK (cache_write_tokens >= 0),
  tool_calls BIGINT NOT NULL CHECK (tool_calls >= 0),
  tools TEXT NOT NULL,
  CHECK (ended_at >= started_at)
);
CREATE UNIQUE INDEX turns_by_client_turn ON turns (session_id, turn_key) WHERE turn_key IS NOT NULL;
CREATE INDEX turns_by_agent ON turns (agent_id, ended_at);
CREATE INDEX turns_by_project ON turns (project_id, ended_at);
CREATE INDEX turns_by_age ON turns (ended_at);
