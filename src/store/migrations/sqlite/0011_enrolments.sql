-- Enrolling: who made an agent, and the one-time token by which a client becomes it.

-- The agent, or the operator, that made this one. A sub-agent lives in its parent's session (parent_id); one that was made has its own.
ALTER TABLE agents ADD COLUMN spawned_by TEXT REFERENCES agents (id);

-- `client_name`, `host` and `root` say who used it: which program, on which machine, in which folder.
CREATE TABLE enrolments (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  created_by TEXT NOT NULL REFERENCES agents (id),
  hash TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  client_name TEXT,
  host TEXT,
  root TEXT,
  revoked_at INTEGER,
  CHECK ((used_at IS NULL) = (client_name IS NULL)),
  CHECK ((used_at IS NULL) = (host IS NULL)),
  CHECK ((used_at IS NULL) = (root IS NULL)),
  CHECK (used_at IS NULL OR revoked_at IS NULL)
) STRICT;
-- An agent has one at a time that is still to be used.
CREATE UNIQUE INDEX enrolments_open ON enrolments (agent_id) WHERE used_at IS NULL AND revoked_at IS NULL;
CREATE INDEX enrolments_by_project ON enrolments (project_id, created_at);
CREATE INDEX enrolments_by_age ON enrolments (expires_at);
