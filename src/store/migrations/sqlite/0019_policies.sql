-- What the operator has set of the rules, for all projects, one project or one agent; the finest of them holds.
CREATE TABLE policies (
  -- The project's or the agent's id; empty: all projects.
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  project_id TEXT REFERENCES projects (id),
  agent_id TEXT REFERENCES agents (id),
  value TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_at INTEGER NOT NULL,
  PRIMARY KEY (scope, key),
  CHECK (agent_id IS NULL OR project_id IS NOT NULL),
  CHECK (scope = COALESCE(agent_id, project_id, ''))
) STRICT, WITHOUT ROWID;

-- Changes with every word about policies: every process sees by it that what it knows of them is old.
ALTER TABLE hub ADD COLUMN policy_stamp TEXT NOT NULL DEFAULT '';
