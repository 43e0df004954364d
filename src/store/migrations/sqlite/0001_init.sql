-- The foundation: who there is, what was said, who was shown it, and the log of both.
-- Tables that are read by their key are WITHOUT ROWID: one tree less to write, and a send writes a third fewer pages.
-- Instants are epoch milliseconds. Impossible states are refused here, not only in the code (invariant 10).

CREATE TABLE hub (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  instance_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  high_water_at INTEGER NOT NULL,
  beat_at INTEGER NOT NULL
) STRICT;

CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  root TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  clock_at INTEGER NOT NULL,
  event_seq INTEGER NOT NULL CHECK (event_seq >= 0),
  event_hash TEXT NOT NULL
) STRICT;

CREATE TABLE agents (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  name_source TEXT NOT NULL CHECK (name_source IN ('given', 'generated')),
  role TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  model TEXT NOT NULL DEFAULT '',
  client TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT '',
  epoch INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  parent_id TEXT REFERENCES agents (id),
  parent_session_id TEXT,
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  UNIQUE (project_id, name),
  CHECK ((parent_id IS NULL) = (parent_session_id IS NULL))
) STRICT;
CREATE INDEX agents_by_folded_name ON agents (project_id, LOWER(name));
CREATE INDEX agents_by_role ON agents (project_id, role);

CREATE TABLE agent_capabilities (
  agent_id TEXT NOT NULL REFERENCES agents (id),
  capability TEXT NOT NULL,
  PRIMARY KEY (agent_id, capability)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  epoch INTEGER NOT NULL CHECK (epoch >= 1),
  door TEXT NOT NULL CHECK (door IN ('stdio', 'http', 'cli')),
  client_name TEXT NOT NULL,
  client_version TEXT NOT NULL,
  client_key TEXT,
  root TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  called_at INTEGER,
  heartbeat_at INTEGER NOT NULL,
  waiting_until INTEGER,
  shown_at INTEGER,
  ended_at INTEGER,
  end_reason TEXT,
  UNIQUE (agent_id, epoch),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;
-- One live session per agent: the fence of C5, kept by the database.
CREATE UNIQUE INDEX sessions_live ON sessions (agent_id) WHERE ended_at IS NULL;

-- Which agent a client's own session (its resume id) was, so that resuming keeps the name.
CREATE TABLE client_bindings (
  project_id TEXT NOT NULL REFERENCES projects (id),
  client_key TEXT NOT NULL,
  agent_id TEXT NOT NULL REFERENCES agents (id),
  bound_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, client_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  seq INTEGER NOT NULL CHECK (seq >= 1),
  thread_id TEXT NOT NULL,
  in_reply_to TEXT REFERENCES messages (id),
  sender_id TEXT NOT NULL REFERENCES agents (id),
  sender_session_id TEXT NOT NULL,
  sender_model TEXT NOT NULL,
  address TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('note', 'request', 'status', 'handoff')),
  urgent INTEGER NOT NULL CHECK (urgent IN (0, 1)),
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  body_bytes INTEGER NOT NULL CHECK (body_bytes >= 0),
  digest TEXT NOT NULL,
  attachments TEXT NOT NULL,
  expects_reply INTEGER NOT NULL CHECK (expects_reply IN (0, 1)),
  quiet INTEGER NOT NULL CHECK (quiet IN (0, 1)),
  broadcast INTEGER NOT NULL CHECK (broadcast IN (0, 1)),
  pool INTEGER NOT NULL CHECK (pool IN (0, 1)),
  hop INTEGER NOT NULL CHECK (hop >= 0),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  UNIQUE (project_id, seq)
) STRICT;
CREATE INDEX messages_by_thread ON messages (thread_id, seq);
CREATE INDEX messages_by_sender ON messages (sender_id, created_at);

-- One row per message and recipient: the truth of C10.
CREATE TABLE deliveries (
  message_id TEXT NOT NULL REFERENCES messages (id),
  recipient_id TEXT NOT NULL REFERENCES agents (id),
  project_id TEXT NOT NULL REFERENCES projects (id),
  sender_id TEXT NOT NULL REFERENCES agents (id),
  seq INTEGER NOT NULL,
  sender_seq INTEGER NOT NULL CHECK (sender_seq >= 1),
  urgent INTEGER NOT NULL CHECK (urgent IN (0, 1)),
  authority TEXT NOT NULL CHECK (authority IN ('human', 'peer', 'parent', 'child', 'hub', 'external')),
  state TEXT NOT NULL CHECK (state IN ('ready', 'leased', 'acked', 'dead', 'expired', 'recalled')),
  ready_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  attempt_limit INTEGER NOT NULL CHECK (attempt_limit >= 1),
  crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
  receipt TEXT,
  shown_rank INTEGER NOT NULL DEFAULT 0,
  session_id TEXT,
  first_shown_at INTEGER,
  first_session_id TEXT,
  first_door TEXT,
  shown_at INTEGER,
  acked_at INTEGER,
  acked_by TEXT CHECK (acked_by IN ('receipt', 'id', 'reply')),
  done_at INTEGER,
  closed_at INTEGER,
  reason TEXT,
  expires_at INTEGER,
  wake_door TEXT,
  nudged_at INTEGER,
  stalled_at INTEGER,
  skip_told_at INTEGER,
  PRIMARY KEY (message_id, recipient_id),
  UNIQUE (recipient_id, sender_id, sender_seq),
  CHECK ((first_shown_at IS NULL) = (first_session_id IS NULL)),
  CHECK (state <> 'leased' OR (receipt IS NOT NULL AND shown_at IS NOT NULL AND first_shown_at IS NOT NULL)),
  CHECK ((state = 'acked') = (acked_at IS NOT NULL)),
  CHECK ((acked_at IS NULL) = (acked_by IS NULL)),
  CHECK ((state IN ('dead', 'expired', 'recalled')) = (closed_at IS NOT NULL)),
  CHECK (state NOT IN ('dead', 'recalled') OR reason IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_ready ON deliveries (recipient_id, urgent DESC, seq, ready_at) WHERE state = 'ready';
CREATE INDEX deliveries_leased ON deliveries (recipient_id, urgent DESC, seq) WHERE state = 'leased';
CREATE INDEX deliveries_receipt ON deliveries (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX deliveries_expiring ON deliveries (expires_at) WHERE state IN ('ready', 'leased') AND expires_at IS NOT NULL;
CREATE INDEX deliveries_unacked ON deliveries (shown_at) WHERE state = 'leased';
CREATE INDEX deliveries_unreplied ON deliveries (recipient_id) WHERE state = 'acked' AND done_at IS NULL;
CREATE INDEX deliveries_skipped ON deliveries (recipient_id) WHERE closed_at IS NOT NULL AND skip_told_at IS NULL;
CREATE INDEX deliveries_dead ON deliveries (project_id, closed_at) WHERE state = 'dead';

-- The last sender_seq of each pair: contiguous from 1, so that a receiver can prove that nothing is missing.
CREATE TABLE pair_sequences (
  sender_id TEXT NOT NULL REFERENCES agents (id),
  recipient_id TEXT NOT NULL REFERENCES agents (id),
  last_seq INTEGER NOT NULL CHECK (last_seq >= 1),
  PRIMARY KEY (sender_id, recipient_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
  project_id TEXT NOT NULL REFERENCES projects (id),
  principal_id TEXT NOT NULL REFERENCES agents (id),
  tool TEXT NOT NULL,
  key TEXT NOT NULL,
  args_digest TEXT NOT NULL,
  result TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, principal_id, tool, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency_keys (created_at);

-- Append-only, hash-chained per project: live feed, audit log and replay source at once.
CREATE TABLE events (
  project_id TEXT NOT NULL REFERENCES projects (id),
  seq INTEGER NOT NULL CHECK (seq >= 1),
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  session_id TEXT,
  subject TEXT NOT NULL,
  data TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (project_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_subject ON events (subject, seq);

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  hash TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  revoked_at INTEGER
) STRICT;

-- One row per tool call, without bodies: diagnostics, written in batches and allowed to fail.
CREATE TABLE tool_calls (
  id INTEGER PRIMARY KEY,
  project_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  tool TEXT NOT NULL,
  door TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  code TEXT NOT NULL,
  input_bytes INTEGER NOT NULL,
  output_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX tool_calls_by_age ON tool_calls (started_at);
