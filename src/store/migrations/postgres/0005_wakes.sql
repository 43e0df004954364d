-- Waking idle agents: the doors by which a client can be reached, and every attempt with what came of it.

-- Whether a message is worth a turn of its own to an idle reader. Bare thanks are not (C17).
ALTER TABLE messages ADD COLUMN wakes BIGINT NOT NULL DEFAULT 1 CHECK (wakes IN (0, 1));
UPDATE messages SET wakes = 0 WHERE quiet = 1;

-- A mail check also looks at the sub-agents that live in a session.
CREATE INDEX agents_by_parent_session ON agents (parent_session_id) WHERE parent_session_id IS NOT NULL;

-- One row per agent and kind of door: whoever opens it last hosts it, and what was proven stays known.
-- Registered ones are the operator's and need no process; the others belong to a process of the client's session.
CREATE TABLE wake_doors (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  kind TEXT NOT NULL CHECK (kind IN ('monitor', 'async_rewake', 'messaging_socket', 'channel', 'codex_queue', 'command', 'webhook')),
  registered BIGINT NOT NULL CHECK (registered IN (0, 1)),
  target TEXT,
  session_id TEXT REFERENCES sessions (id),
  host TEXT,
  pid BIGINT,
  opened_at BIGINT NOT NULL,
  closed_at BIGINT,
  proven_at BIGINT,
  failures BIGINT NOT NULL DEFAULT 0 CHECK (failures >= 0),
  UNIQUE (agent_id, kind, registered),
  CHECK ((registered = 1) = (target IS NOT NULL)),
  CHECK ((registered = 0) = (session_id IS NOT NULL)),
  CHECK ((session_id IS NULL) = (host IS NULL)),
  CHECK ((session_id IS NULL) = (pid IS NULL)),
  CHECK (registered = 1 OR kind NOT IN ('command', 'webhook')),
  CHECK (registered = 0 OR kind IN ('command', 'webhook', 'codex_queue'))
);
CREATE INDEX wake_doors_registered ON wake_doors (agent_id) WHERE registered = 1 AND closed_at IS NULL;

CREATE TABLE wake_attempts (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  door_id TEXT NOT NULL REFERENCES wake_doors (id),
  door TEXT NOT NULL,
  seq BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('claimed', 'sent', 'failed', 'read', 'no_effect')),
  unread BIGINT NOT NULL CHECK (unread >= 1),
  newest_seq BIGINT NOT NULL,
  newest_ready_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  sent_at BIGINT,
  ended_at BIGINT,
  stirred BIGINT NOT NULL DEFAULT 0 CHECK (stirred IN (0, 1)),
  gave_up BIGINT NOT NULL DEFAULT 0 CHECK (gave_up IN (0, 1)),
  detail TEXT NOT NULL DEFAULT '',
  CHECK ((state IN ('failed', 'read', 'no_effect')) = (ended_at IS NOT NULL)),
  CHECK (state <> 'claimed' OR sent_at IS NULL),
  CHECK (state <> 'sent' OR sent_at IS NOT NULL)
);
-- One wake-up at a time per agent, whoever hosts its doors: kept by the database.
CREATE UNIQUE INDEX wake_attempts_outstanding ON wake_attempts (agent_id) WHERE ended_at IS NULL;
CREATE INDEX wake_attempts_by_agent ON wake_attempts (agent_id, started_at, seq);
CREATE INDEX wake_attempts_by_age ON wake_attempts (started_at);
