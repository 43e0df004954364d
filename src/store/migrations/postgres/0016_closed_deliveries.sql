-- Counting a project's deliveries by state must not read all of them: those that ended otherwise than by an acknowledgement are few.
CREATE INDEX deliveries_closed ON deliveries (project_id, state) WHERE closed_at IS NOT NULL;
