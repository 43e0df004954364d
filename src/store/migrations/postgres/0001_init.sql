-- The foundation: who there is, what was said, who was shown it, and the log of both.
-- Instants are epoch milliseconds. Impossible states are refused here, not only in the code (invariant 10).

CREATE TABLE hub (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  instance_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  high_water_at BIGINT NOT NULL,
  beat_at BIGINT NOT NULL
);

CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  root TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  clock_at BIGINT NOT NULL,
  event_seq BIGINT NOT NULL CHECK (event_seq >= 0),
  event_hash TEXT NOT NULL
);

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
  epoch BIGINT NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  parent_id TEXT REFERENCES agents (id),
  parent_session_id TEXT,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  UNIQUE (project_id, name),
  CHECK ((parent_id IS NULL) = (parent_session_id IS NULL))
);
CREATE INDEX agents_by_folded_name ON agents (project_id, LOWER(name));
CREATE INDEX agents_by_role ON agents (project_id, role);

CREATE TABLE agent_capabilities (
  agent_id TEXT NOT NULL REFERENCES agents (id),
  capability TEXT NOT NULL,
  PRIMARY KEY (agent_id, capability)
);

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  epoch BIGINT NOT NULL CHECK (epoch >= 1),
  door TEXT NOT NULL CHECK (door IN ('stdio', 'http', 'cli')),
  client_name TEXT NOT NULL,
  client_version TEXT NOT NULL,
  client_key TEXT,
  root TEXT NOT NULL,
  host TEXT NOT NULL,
  pid BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  called_at BIGINT,
  heartbeat_at BIGINT NOT NULL,
  waiting_until BIGINT,
  shown_at BIGINT,
  ended_at BIGINT,
  end_reason TEXT,
  UNIQUE (agent_id, epoch),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
-- One live session per agent: the fence of C5, kept by the database.
CREATE UNIQUE INDEX sessions_live ON sessions (agent_id) WHERE ended_at IS NULL;

-- Which agent a client's own session (its resume id) was, so that resuming keeps the name.
CREATE TABLE client_bindings (
  project_id TEXT NOT NULL REFERENCES projects (id),
  client_key TEXT NOT NULL,
  agent_id TEXT NOT NULL REFERENCES agents (id),
  bound_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, client_key)
);

CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  seq BIGINT NOT NULL CHECK (seq >= 1),
  thread_id TEXT NOT NULL,
  in_reply_to TEXT REFERENCES messages (id),
  sender_id TEXT NOT NULL REFERENCES agents (id),
  sender_session_id TEXT NOT NULL,
  sender_model TEXT NOT NULL,
  address TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('note', 'request', 'status', 'handoff')),
  urgent BIGINT NOT NULL CHECK (urgent IN (0, 1)),
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  body_bytes BIGINT NOT NULL CHECK (body_bytes >= 0),
  digest TEXT NOT NULL,
  attachments TEXT NOT NULL,
  expects_reply BIGINT NOT NULL CHECK (expects_reply IN (0, 1)),
  quiet BIGINT NOT NULL CHECK (quiet IN (0, 1)),
  broadcast BIGINT NOT NULL CHECK (broadcast IN (0, 1)),
  pool BIGINT NOT NULL CHECK (pool IN (0, 1)),
  hop BIGINT NOT NULL CHECK (hop >= 0),
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  UNIQUE (project_id, seq)
);
CREATE INDEX messages_by_thread ON messages (thread_id, seq);
CREATE INDEX messages_by_sender ON messages (sender_id, created_at);

-- One row per message and recipient: the truth of C10.
CREATE TABLE deliveries (
  message_id TEXT NOT NULL REFERENCES messages (id),
  recipient_id TEXT NOT NULL REFERENCES agents (id),
  project_id TEXT NOT NULL REFERENCES projects (id),
  sender_id TEXT NOT NULL REFERENCES agents (id),
  seq BIGINT NOT NULL,
  sender_seq BIGINT NOT NULL CHECK (sender_seq >= 1),
  urgent BIGINT NOT NULL CHECK (urgent IN (0, 1)),
  authority TEXT NOT NULL CHECK (authority IN ('human', 'peer', 'parent', 'child', 'hub', 'external')),
  state TEXT NOT NULL CHECK (state IN ('ready', 'leased', 'acked', 'dead', 'expired', 'recalled')),
  ready_at BIGINT NOT NULL,
  attempt BIGINT NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  attempt_limit BIGINT NOT NULL CHECK (attempt_limit >= 1),
  crashes BIGINT NOT NULL DEFAULT 0 CHECK (crashes >= 0),
  receipt TEXT,
  shown_rank BIGINT NOT NULL DEFAULT 0,
  session_id TEXT,
  first_shown_at BIGINT,
  first_session_id TEXT,
  first_door TEXT,
  shown_at BIGINT,
  acked_at BIGINT,
  acked_by TEXT CHECK (acked_by IN ('receipt', 'id', 'reply')),
  done_at BIGINT,
  closed_at BIGINT,
  reason TEXT,
  expires_at BIGINT,
  wake_door TEXT,
  nudged_at BIGINT,
  stalled_at BIGINT,
  skip_told_at BIGINT,
  PRIMARY KEY (message_id, recipient_id),
  UNIQUE (recipient_id, sender_id, sender_seq),
  CHECK ((first_shown_at IS NULL) = (first_session_id IS NULL)),
  CHECK (state <> 'leased' OR (receipt IS NOT NULL AND shown_at IS NOT NULL AND first_shown_at IS NOT NULL)),
  CHECK ((state = 'acked') = (acked_at IS NOT NULL)),
  CHECK ((acked_at IS NULL) = (acked_by IS NULL)),
  CHECK ((state IN ('dead', 'expired', 'recalled')) = (closed_at IS NOT NULL)),
  CHECK (state NOT IN ('dead', 'recalled') OR reason IS NOT NULL)
);
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
  last_seq BIGINT NOT NULL CHECK (last_seq >= 1),
  PRIMARY KEY (sender_id, recipient_id)
);

CREATE TABLE idempotency_keys (
  project_id TEXT NOT NULL REFERENCES projects (id),
  principal_id TEXT NOT NULL REFERENCES agents (id),
  tool TEXT NOT NULL,
  key TEXT NOT NULL,
  args_digest TEXT NOT NULL,
  result TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, principal_id, tool, key)
);
CREATE INDEX idempotency_by_age ON idempotency_keys (created_at);

-- Append-only, hash-chained per project: live feed, audit log and replay source at once.
CREATE TABLE events (
  project_id TEXT NOT NULL REFERENCES projects (id),
  seq BIGINT NOT NULL CHECK (seq >= 1),
  at BIGINT NOT NULL,
  type TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  session_id TEXT,
  subject TEXT NOT NULL,
  data TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (project_id, seq)
);
CREATE INDEX events_by_subject ON events (subject, seq);

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  hash TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  revoked_at BIGINT
);

-- One row per tool call, without bodies: diagnostics, written in batches and allowed to fail.
CREATE TABLE tool_calls (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  tool TEXT NOT NULL,
  door TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL,
  code TEXT NOT NULL,
  input_bytes BIGINT NOT NULL,
  output_bytes BIGINT NOT NULL
);
CREATE INDEX tool_calls_by_age ON tool_calls (started_at);
