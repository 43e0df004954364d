-- Reservations: what an agent keeps for itself, or shares, for a while. The fencing token is the seq of the event that took it: it only grows.

CREATE TABLE reservations (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  holder_id TEXT NOT NULL REFERENCES agents (id),
  kind TEXT NOT NULL CHECK (kind IN ('path', 'name')),
  resource TEXT NOT NULL,
  -- Paths in one spelling for file systems that take upper and lower case for the same; names as they are.
  folded TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('exclusive', 'shared')),
  token INTEGER NOT NULL CHECK (token >= 1),
  reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('held', 'released', 'expired')),
  taken_at INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL CHECK (ttl_ms >= 1),
  lease_until INTEGER NOT NULL,
  limit_at INTEGER NOT NULL,
  ended_at INTEGER,
  end_reason TEXT,
  UNIQUE (project_id, token),
  CHECK ((state = 'held') = (ended_at IS NULL)),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
  CHECK (lease_until <= limit_at)
) STRICT;
-- A lock by name has one holder, whatever the code believes.
CREATE UNIQUE INDEX reservations_locks ON reservations (project_id, folded) WHERE state = 'held' AND kind = 'name' AND mode = 'exclusive';
CREATE UNIQUE INDEX reservations_held ON reservations (project_id, kind, folded, holder_id) WHERE state = 'held';
CREATE INDEX reservations_by_holder ON reservations (holder_id, taken_at) WHERE state = 'held';
CREATE INDEX reservations_due ON reservations (lease_until) WHERE state = 'held';
CREATE INDEX reservations_ended ON reservations (ended_at) WHERE state <> 'held';

-- Approvals that are over, for forgetting them.
CREATE INDEX approvals_over ON approvals (requested_at) WHERE state NOT IN ('pending', 'approved');
