-- Why the guard kept a client's model from using a tool, in the words that the model was told.
ALTER TABLE tool_uses ADD COLUMN reason TEXT CHECK (reason IS NULL OR outcome = 'refused');
CREATE INDEX tool_uses_refused ON tool_uses (project_id, started_at) WHERE outcome = 'refused';
