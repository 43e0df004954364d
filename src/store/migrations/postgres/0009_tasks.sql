-- Tasks: work that is handed out, held by one at a time under a fenced lease, and finished once (C6).

-- The W3C trace that a message belongs to: that of the task it is about.
ALTER TABLE messages ADD COLUMN traceparent TEXT;

CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  seq BIGINT NOT NULL CHECK (seq >= 1),
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  creator_id TEXT NOT NULL REFERENCES agents (id),
  parent_id TEXT REFERENCES tasks (id),
  depth BIGINT NOT NULL CHECK (depth >= 0),
  -- The required capabilities, sorted, one space between: tasks that need the same stand in one queue.
  needs TEXT NOT NULL,
  labels TEXT NOT NULL,
  effort_minutes BIGINT CHECK (effort_minutes >= 1),
  expected_artifacts TEXT NOT NULL,
  reviewers TEXT NOT NULL,
  quorum BIGINT NOT NULL CHECK (quorum >= 0),
  cache_key TEXT,
  trace_id TEXT NOT NULL,
  parent_span_id TEXT,
  not_before BIGINT,
  deadline_at BIGINT,
  overdue_policy TEXT NOT NULL CHECK (overdue_policy IN ('tell', 'fail')),
  priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  -- The order of claims, lowest first: by priority and age, and what waits for this task may pull it forward.
  own_rank BIGINT NOT NULL,
  rank BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (
    state IN ('submitted', 'working', 'input_required', 'in_review', 'completed', 'failed', 'canceled', 'rejected', 'needs_attention')
  ),
  version BIGINT NOT NULL CHECK (version >= 1),
  reason TEXT,
  failure_cause TEXT CHECK (failure_cause IN ('agent', 'infra', 'input', 'dependency', 'deadline')),
  waiting_on BIGINT NOT NULL DEFAULT 0 CHECK (waiting_on >= 0),
  open_children BIGINT NOT NULL DEFAULT 0 CHECK (open_children >= 0),
  claimable BIGINT NOT NULL CHECK (claimable IN (0, 1)),
  assignee_id TEXT REFERENCES agents (id),
  -- Whom the hub told of it last (as its assignee, as the one it is handed to, or because it fits), by which message.
  announced_to TEXT REFERENCES agents (id),
  announced_at BIGINT,
  announcement_id TEXT REFERENCES messages (id),
  handoff_to TEXT REFERENCES agents (id),
  handoff_until BIGINT,
  holder_id TEXT REFERENCES agents (id),
  fencing_token BIGINT NOT NULL DEFAULT 0 CHECK (fencing_token >= 0),
  attempt BIGINT NOT NULL DEFAULT 1 CHECK (attempt >= 1),
  claimed_at BIGINT,
  lease_until BIGINT,
  lease_limit_at BIGINT,
  lease_renewed_at BIGINT,
  revision BIGINT NOT NULL DEFAULT 0 CHECK (revision >= 0),
  progress BIGINT CHECK (progress BETWEEN 0 AND 100),
  progress_seq BIGINT NOT NULL DEFAULT 0 CHECK (progress_seq >= 0),
  ask_id TEXT REFERENCES asks (id),
  verification TEXT CHECK (verification IN ('verified', 'attested', 'unverified')),
  result_n BIGINT,
  reused_from TEXT REFERENCES tasks (id),
  overdue_told_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  closed_at BIGINT,
  CHECK ((state IN ('completed', 'failed', 'canceled', 'rejected')) = (closed_at IS NOT NULL)),
  CHECK ((state IN ('working', 'input_required')) = (lease_until IS NOT NULL)),
  CHECK (lease_until IS NULL OR (holder_id IS NOT NULL AND claimed_at IS NOT NULL AND lease_limit_at IS NOT NULL AND lease_renewed_at IS NOT NULL)),
  CHECK (holder_id IS NULL OR state IN ('working', 'input_required', 'in_review')),
  CHECK (claimable = 0 OR (state = 'submitted' AND waiting_on = 0 AND open_children = 0)),
  CHECK ((handoff_to IS NULL) = (handoff_until IS NULL)),
  CHECK (ask_id IS NULL OR state = 'input_required'),
  CHECK (state NOT IN ('needs_attention', 'failed', 'rejected') OR reason IS NOT NULL),
  CHECK (parent_id <> id)
);
CREATE INDEX tasks_claimable ON tasks (project_id, needs, rank, seq) WHERE claimable = 1 AND assignee_id IS NULL;
CREATE INDEX tasks_assigned ON tasks (assignee_id, rank, seq) WHERE assignee_id IS NOT NULL AND state = 'submitted';
CREATE INDEX tasks_blocked ON tasks (project_id) WHERE state = 'submitted' AND claimable = 0;
CREATE INDEX tasks_by_assignee ON tasks (assignee_id, seq) WHERE assignee_id IS NOT NULL;
CREATE INDEX tasks_announced ON tasks (announced_to) WHERE announced_to IS NOT NULL;
CREATE INDEX tasks_held ON tasks (holder_id) WHERE holder_id IS NOT NULL;
CREATE INDEX tasks_leased ON tasks (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX tasks_to_wake ON tasks (not_before)
  WHERE state = 'submitted' AND claimable = 0 AND waiting_on = 0 AND open_children = 0 AND not_before IS NOT NULL;
CREATE INDEX tasks_due ON tasks (deadline_at) WHERE closed_at IS NULL AND deadline_at IS NOT NULL AND overdue_told_at IS NULL;
CREATE INDEX tasks_handed ON tasks (handoff_until) WHERE handoff_until IS NOT NULL;
CREATE INDEX tasks_by_parent ON tasks (parent_id, seq) WHERE parent_id IS NOT NULL;
CREATE INDEX tasks_by_project ON tasks (project_id, seq);
CREATE INDEX tasks_by_state ON tasks (project_id, state, seq);
CREATE INDEX tasks_by_creator ON tasks (creator_id, seq);
CREATE INDEX tasks_open_by_creator ON tasks (creator_id, seq) WHERE closed_at IS NULL;
CREATE INDEX tasks_open ON tasks (project_id, needs) WHERE closed_at IS NULL;
CREATE INDEX tasks_cached ON tasks (project_id, cache_key, closed_at) WHERE cache_key IS NOT NULL AND state = 'completed';
CREATE UNIQUE INDEX tasks_by_ask ON tasks (ask_id) WHERE ask_id IS NOT NULL;

-- How many tasks of a project are open: counted as they come and go, because a limit is looked at with every new one.
CREATE TABLE task_counts (
  project_id TEXT PRIMARY KEY REFERENCES projects (id),
  open BIGINT NOT NULL CHECK (open >= 0)
);

CREATE TABLE task_labels (
  project_id TEXT NOT NULL REFERENCES projects (id),
  label TEXT NOT NULL,
  task_seq BIGINT NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  PRIMARY KEY (project_id, label, task_seq, task_id)
);

-- What a task waits for, and what the failure of that does to it.
CREATE TABLE task_dependencies (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  depends_on TEXT NOT NULL REFERENCES tasks (id),
  policy TEXT NOT NULL CHECK (policy IN ('block', 'cancel', 'ignore')),
  settled_at BIGINT,
  PRIMARY KEY (task_id, depends_on),
  CHECK (task_id <> depends_on)
);
CREATE INDEX task_dependents ON task_dependencies (depends_on);

-- One row per accepted change: the versions of a task have no gaps.
CREATE TABLE task_history (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  version BIGINT NOT NULL CHECK (version >= 1),
  at BIGINT NOT NULL,
  act TEXT NOT NULL,
  from_state TEXT,
  to_state TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  session_id TEXT,
  fencing_token BIGINT NOT NULL,
  note TEXT,
  facts TEXT NOT NULL,
  PRIMARY KEY (task_id, version)
);

-- What was handed in, each under its token; what came with an old token is kept as late and never applied.
CREATE TABLE task_results (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  n BIGINT NOT NULL CHECK (n >= 1),
  late BIGINT NOT NULL CHECK (late IN (0, 1)),
  revision BIGINT NOT NULL,
  fencing_token BIGINT NOT NULL,
  agent_id TEXT NOT NULL,
  result TEXT NOT NULL,
  artifacts TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (task_id, n)
);

CREATE TABLE task_templates (
  project_id TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version >= 1),
  creator_id TEXT NOT NULL REFERENCES agents (id),
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, name)
);

-- The secret by which an end may be told from outside a session. A task without one, or with none in its row, refuses every such word (T-10).
CREATE TABLE task_secrets (
  task_id TEXT PRIMARY KEY REFERENCES tasks (id),
  secret TEXT
);

CREATE TABLE task_webhooks (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  webhook_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (task_id, webhook_id)
);

-- How an agent has done at what a capability was needed for: it decides between equals.
CREATE TABLE task_scores (
  agent_id TEXT NOT NULL REFERENCES agents (id),
  capability TEXT NOT NULL,
  completed BIGINT NOT NULL DEFAULT 0 CHECK (completed >= 0),
  failed BIGINT NOT NULL DEFAULT 0 CHECK (failed >= 0),
  worked_ms BIGINT NOT NULL DEFAULT 0 CHECK (worked_ms >= 0),
  PRIMARY KEY (agent_id, capability)
);
