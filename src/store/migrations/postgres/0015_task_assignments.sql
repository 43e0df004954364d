-- Tasks that are meant for somebody who has not been told yet that they can be begun.
CREATE INDEX tasks_untold ON tasks (project_id, rank) WHERE claimable = 1 AND assignee_id IS NOT NULL AND announced_to IS NULL;
