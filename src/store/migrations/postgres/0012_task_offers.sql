-- Who was told of a task, how, and what came of it.
CREATE TABLE task_offers (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  at BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('assigned', 'offered', 'handed')),
  outcome TEXT NOT NULL CHECK (outcome IN ('open', 'taken', 'declined', 'lapsed', 'withdrawn')),
  told_at BIGINT,
  PRIMARY KEY (task_id, agent_id, at)
);
CREATE INDEX task_offers_open ON task_offers (at) WHERE outcome = 'open';
CREATE INDEX task_offers_by_agent ON task_offers (agent_id, at);

CREATE INDEX tasks_unoffered ON tasks (project_id, needs, rank, seq) WHERE claimable = 1 AND assignee_id IS NULL AND announced_to IS NULL;
CREATE INDEX tasks_by_announcement ON tasks (announcement_id) WHERE announcement_id IS NOT NULL;

-- When those who oversee a project were last told that its backlog grows.
ALTER TABLE task_counts ADD COLUMN backlog_told_at BIGINT;
CREATE INDEX task_counts_by_open ON task_counts (open);
