-- Retention: what is past its time goes, in sweeps that say what they took; sums by day stay.

-- Events up to base_seq were forgotten: the chain goes on from base_hash, and of the messages that they told of so many were still kept.
ALTER TABLE projects ADD COLUMN base_seq INTEGER NOT NULL DEFAULT 0 CHECK (base_seq >= 0);
ALTER TABLE projects ADD COLUMN base_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN base_messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN base_deliveries INTEGER NOT NULL DEFAULT 0;
-- How many deliveries sweeps took in all: with them, every delivery that was ever numbered is accounted for.
ALTER TABLE projects ADD COLUMN swept_deliveries INTEGER NOT NULL DEFAULT 0 CHECK (swept_deliveries >= 0);

-- When a project, or ('') what belongs to none, is swept next, and what the last sweep did: a JSON object of rows by table.
CREATE TABLE sweeps (
  scope TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL,
  ended_at INTEGER,
  swept TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What remains of turns, of calls of tools and of uses of a client's tools: sums by day (days since 1970, UTC).
CREATE TABLE turn_days (
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  day INTEGER NOT NULL,
  model TEXT NOT NULL,
  result TEXT NOT NULL,
  turns INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL,
  PRIMARY KEY (project_id, day, agent_id, model, result)
) STRICT, WITHOUT ROWID;
CREATE INDEX turn_days_by_age ON turn_days (day);

CREATE TABLE call_days (
  project_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  tool TEXT NOT NULL,
  code TEXT NOT NULL,
  calls INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  longest_ms INTEGER NOT NULL,
  input_bytes INTEGER NOT NULL,
  output_bytes INTEGER NOT NULL,
  PRIMARY KEY (project_id, day, agent_id, tool, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_days_by_age ON call_days (day);

CREATE TABLE tool_use_days (
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  day INTEGER NOT NULL,
  tool TEXT NOT NULL,
  outcome TEXT NOT NULL,
  uses INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  PRIMARY KEY (project_id, day, agent_id, tool, outcome)
) STRICT, WITHOUT ROWID;
CREATE INDEX tool_use_days_by_age ON tool_use_days (day);

-- What is over, oldest first, for sweeping; and who points to a row that goes: a foreign key without an index would read its whole table.
CREATE INDEX tasks_over ON tasks (project_id, closed_at, id) WHERE closed_at IS NOT NULL;
CREATE INDEX reminders_over ON reminders (project_id, closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX sessions_over ON sessions (project_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX messages_by_parent ON messages (in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE INDEX reminder_firings_by_message ON reminder_firings (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX task_labels_by_task ON task_labels (task_id);
CREATE INDEX tasks_by_origin ON tasks (reused_from) WHERE reused_from IS NOT NULL;
CREATE INDEX turns_by_session ON turns (session_id);
CREATE INDEX tokens_by_age ON tokens (expires_at);
