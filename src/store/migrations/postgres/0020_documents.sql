-- What the agents of a project know in common: small texts by name, each version a row of its own. The newest counts; the last few are kept.
CREATE TABLE documents (
  project_id TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version >= 1),
  -- Without any bytes it says that the document was removed; its number is never given out again.
  body TEXT NOT NULL,
  bytes BIGINT NOT NULL CHECK (bytes >= 0),
  sha256 TEXT NOT NULL,
  author_id TEXT NOT NULL REFERENCES agents (id),
  written_at BIGINT NOT NULL,
  newest BIGINT NOT NULL CHECK (newest IN (0, 1)),
  PRIMARY KEY (project_id, name, version)
);
CREATE UNIQUE INDEX documents_newest ON documents (project_id, name) WHERE newest = 1;
