-- Signing in to the dashboard: a code that works once, and the browser session it became. Both are stored as SHA-256 only.
CREATE TABLE sign_ins (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  code_hash TEXT NOT NULL UNIQUE,
  offered_at BIGINT NOT NULL,
  code_expires_at BIGINT NOT NULL,
  session_hash TEXT UNIQUE,
  redeemed_at BIGINT,
  expires_at BIGINT,
  ended_at BIGINT,
  CHECK ((redeemed_at IS NULL) = (session_hash IS NULL)),
  CHECK ((redeemed_at IS NULL) = (expires_at IS NULL)),
  CHECK (ended_at IS NULL OR redeemed_at IS NOT NULL)
);
CREATE INDEX sign_ins_by_age ON sign_ins (offered_at);
