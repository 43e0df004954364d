-- Approvals: who may do exactly what, once (C8). What the rules of deciding forbid, the table refuses, too.

CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  requester_id TEXT NOT NULL REFERENCES agents (id),
  requester_session_id TEXT NOT NULL,
  -- Whose session acts: the requester, or the agent that registered it.
  hand_id TEXT NOT NULL REFERENCES agents (id),
  action TEXT NOT NULL,
  digest TEXT NOT NULL,
  risk TEXT NOT NULL CHECK (risk IN ('low', 'medium', 'high')),
  reason TEXT NOT NULL,
  ref TEXT,
  message_id TEXT REFERENCES messages (id),
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'consumed')),
  requested_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER,
  decided_by TEXT REFERENCES agents (id),
  decided_as TEXT CHECK (decided_as IN ('policy', 'manager', 'operator')),
  note TEXT,
  consumed_at INTEGER,
  consumed_by TEXT REFERENCES agents (id),
  consumed_for TEXT,
  expired_at INTEGER,
  CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
  CHECK ((decided_at IS NULL) = (decided_as IS NULL)),
  CHECK (decided_by <> requester_id AND decided_by <> hand_id),
  CHECK (state <> 'pending' OR decided_at IS NULL),
  CHECK (state NOT IN ('approved', 'denied', 'consumed') OR decided_at IS NOT NULL),
  CHECK (decided_as <> 'policy' OR risk = 'low'),
  CHECK (decided_as = 'operator' OR risk <> 'high' OR decided_at IS NULL),
  CHECK ((state = 'consumed') = (consumed_at IS NOT NULL)),
  CHECK ((consumed_at IS NULL) = (consumed_by IS NULL)),
  CHECK ((state = 'expired') = (expired_at IS NOT NULL))
) STRICT;
CREATE INDEX approvals_due ON approvals (expires_at) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_standing ON approvals (hand_id, digest) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_pending ON approvals (project_id, requested_at) WHERE state = 'pending';
CREATE INDEX approvals_by_requester ON approvals (requester_id, requested_at);
CREATE INDEX approvals_by_project ON approvals (project_id, requested_at);
CREATE UNIQUE INDEX approvals_by_message ON approvals (message_id);
