-- Verdicts on tasks, each bound to a revision.

CREATE TABLE reviews (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  revision BIGINT NOT NULL CHECK (revision >= 1),
  reviewer_id TEXT NOT NULL REFERENCES agents (id),
  project_id TEXT NOT NULL REFERENCES projects (id),
  state TEXT NOT NULL CHECK (state IN ('owed', 'passed', 'not_passed', 'moot')),
  findings TEXT NOT NULL,
  -- Who handed the revision in, and in which session: nobody judges their own work under another name.
  author_id TEXT NOT NULL,
  author_session_id TEXT NOT NULL,
  message_id TEXT REFERENCES messages (id),
  requested_at BIGINT NOT NULL,
  decided_at BIGINT,
  overdue_told_at BIGINT,
  PRIMARY KEY (task_id, revision, reviewer_id),
  CHECK ((state = 'owed') = (decided_at IS NULL)),
  CHECK (state <> 'not_passed' OR findings <> '[]')
);
CREATE INDEX reviews_owed ON reviews (reviewer_id, requested_at) WHERE state = 'owed';
CREATE UNIQUE INDEX reviews_by_message ON reviews (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX reviews_late ON reviews (requested_at) WHERE state = 'owed' AND overdue_told_at IS NULL;
